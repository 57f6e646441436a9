"""What the outbox costs a gateway's disk: bytes written for each record, and room for days without a network."""
