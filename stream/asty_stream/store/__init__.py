"""The telemetry store: packs in, one transaction, what must be said about it out. Plain SQL beside the function that uses it."""
