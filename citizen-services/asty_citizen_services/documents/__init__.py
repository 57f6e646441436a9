"""A decision on paper: composed from a template, signed by those who must, kept with its hash, and open to anybody's check."""
