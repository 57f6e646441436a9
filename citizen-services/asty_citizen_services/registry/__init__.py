"""The protocol: every paper that comes in or goes out has a number of its year, without gaps, never used again."""
