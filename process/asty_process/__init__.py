"""What every server process does alike: its environment, the count of its answers, the ways of its database to fail."""
