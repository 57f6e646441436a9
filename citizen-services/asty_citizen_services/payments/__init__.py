"""Fees: what is due, its payment code, the bank's word that it was paid, the receipt."""
