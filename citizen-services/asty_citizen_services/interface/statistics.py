"""Open data of procedures by month, with nobody in it: small counts are not told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

LEAST = 5
"""A count of 1 to 4 could point to a person, in a small town and a rare procedure."""
_COUNTS = text("""
SELECT a.procedure, to_char(timezone(:zone, a.filed_at), 'YYYY-MM') AS month, count(*) AS filed,
       count(*) FILTER (WHERE a.state = 'granted') AS granted, count(*) FILTER (WHERE a.state = 'rejected') AS rejected,
       count(*) FILTER (WHERE s.ended IS NULL) AS running, count(s.ended) AS ended,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM s.changed_at - a.filed_at) / 86400.0)
         FILTER (WHERE s.ended IS NOT NULL) AS median_days
FROM application AS a LEFT JOIN case_state AS s ON s.application_id = a.id
WHERE extract(year FROM timezone(:zone, a.filed_at)) = :year
GROUP BY 1, 2 ORDER BY 2, 1
""")


@dataclass(frozen=True, slots=True)
class Counted:
    """A procedure's month as it is told. None: not told. `median_days` from filing to end."""

    procedure: str
    month: str
    filed: int | None
    granted: int | None
    rejected: int | None
    running: int | None
    median_days: float | None


def by_month(session: Session, year: int, zone: str) -> list[Counted]:
    """Count the applications of a year by procedure and month of filing, in local time."""
    return [told(*row) for row in session.execute(_COUNTS, {"zone": zone, "year": year})]


def told(procedure: str, month: str, filed: int, granted: int, rejected: int, running: int, ended: int, median: Any) -> Counted:
    """Leave out what could point to a person. Parts are told only where none, told or left over, is small: else it could be worked out."""
    if filed < LEAST:
        return Counted(procedure, month, None, None, None, None, None)
    parts = (granted, rejected, running, filed - granted - rejected - running)
    is_safe = all(part == 0 or part >= LEAST for part in parts)
    days = round(float(median), 1) if median is not None and ended >= LEAST else None
    if not is_safe:
        return Counted(procedure, month, filed, None, None, None, days)
    return Counted(procedure, month, filed, granted, rejected, running, days)


def as_csv(items: Sequence[Counted]) -> str:
    """Write the same as CSV (RFC 4180), empty where nothing is told."""
    names = ("procedure", "month", "filed", "granted", "rejected", "running", "median_days")
    rows = [",".join(names)]
    for one in items:
        values = [getattr(one, name) for name in names]
        rows.append(",".join("" if value is None else str(value) for value in values))
    return "\r\n".join(rows) + "\r\n"
