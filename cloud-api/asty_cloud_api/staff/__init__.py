"""The staff's way in: accounts, sessions, machine tokens, and who may do what."""
