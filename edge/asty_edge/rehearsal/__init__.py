"""Virtual edges for drills: the agent's own outbox and uplink, fed with numbered records, and a witness of what was appended."""
