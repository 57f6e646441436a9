"""When a closed case is to be erased. Pure."""

from datetime import datetime

from asty_citizen_services.procedures.manifest import Retention

CLOSED = frozenset({"granted", "rejected", "forwarded", "shelved"})


def ends(rule: Retention, state: str, closed_at: datetime) -> datetime | None:
    """Return when a case may go, by how it ended; None for an open one, and for one that the law keeps for good.

    Whatever was not granted is kept as long as a rejection: an objection or a court may ask for it.
    """
    if state not in CLOSED:
        return None
    years = rule.granted if state == "granted" else rule.rejected
    if years is None:
        return None
    try:
        return closed_at.replace(year=closed_at.year + years)
    except ValueError:  # 29 February
        return closed_at.replace(year=closed_at.year + years, day=28)
