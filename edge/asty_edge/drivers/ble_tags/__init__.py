"""Bluetooth tags in workers' vests: iBeacon, Eddystone, BTHome."""
