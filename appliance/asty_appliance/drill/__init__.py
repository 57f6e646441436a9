"""`asty drill`: faults by seed on a test stack, and at the end a count that trusts neither outbox nor store."""
