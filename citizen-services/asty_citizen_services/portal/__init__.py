"""The citizen's pages: what can be asked for, what was asked, how it stands."""
