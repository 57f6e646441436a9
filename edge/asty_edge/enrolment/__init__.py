"""How this edge gets its certificate and keeps it: `asty-edge enrol`, `asty-edge renew`, and the agent's own renewal."""

from asty_edge.enrolment.keeping import keep_certificate

__all__ = ["keep_certificate"]
