"""The in-cab screen: drivers and their duties, the shift as the tablet gets it, and what the tablet says of it."""
