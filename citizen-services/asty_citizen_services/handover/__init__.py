"""Both ways with the municipality's existing document system: what we enter into the protocol goes there, what it decides comes here."""
