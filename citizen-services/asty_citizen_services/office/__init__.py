"""The officers' desks: inbox, case, decision, signature, figures."""
