"""What citizens are told: put into an outbox with what it is about, sent by the worker."""
