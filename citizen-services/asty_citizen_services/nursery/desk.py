"""The nurseries' lists, read from the cases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.nursery import ranking
from asty_citizen_services.nursery.ranking import Applicant, Place, Table
from asty_citizen_services.procedures.catalogue import Catalogue, Procedure
from asty_citizen_services.registry.models import Application, Docket

POINTS = "points.toml"
OUT = ("rejected", "shelved", "forwarded", "erased")
"""States in which an application no longer counts. One that is being completed or objects still does."""


def procedure_of(catalogue: Catalogue) -> tuple[Procedure, Table] | None:
    """Return the procedure whose folder has a table of points, with the table. Raises PointsError."""
    for procedure in catalogue.values():
        if (procedure.folder / POINTS).exists():
            return procedure, ranking.read(procedure.folder / POINTS)
    return None


def applications(session: Session, procedure: str, year: int, zone: ZoneInfo) -> list[tuple[Application, Docket]]:
    """Read the applications of a local year that count, the first filed first."""
    begins, ends = (datetime(one, 1, 1, tzinfo=zone) for one in (year, year + 1))
    rows = session.execute(
        select(Application, Docket)
        .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
        .where(
            Application.procedure == procedure, Application.state.not_in(OUT), Docket.cancelled_at.is_(None),
            Application.filed_at >= begins, Application.filed_at < ends,
        )
        .order_by(Application.filed_at)
    )  # fmt: skip
    return list(rows)


def lists(session: Session, procedure: str, table: Table, year: int, zone: ZoneInfo) -> dict[str, tuple[Place, ...]]:
    """Return the list of each station for the applications of a local year."""
    found = [
        Applicant(
            str(one.id), docket.reference, one.filed_at, table.points(one.answers)[1],
            tuple(str(one.answers[wish]) for wish in ("station", "second_station") if one.answers.get(wish)),
        )
        for one, docket in applications(session, procedure, year, zone)
    ]  # fmt: skip
    return ranking.rank(table, found)


def place(session: Session, catalogue: Catalogue, application: Application, zone: ZoneInfo) -> Mapping[str, Any]:
    """Return what the decision on an application says of its place: station, points, rank; nothing for other procedures."""
    known = procedure_of(catalogue)
    if known is None or known[0].slug != application.procedure:
        return {}
    procedure, table = known
    found = lists(session, procedure.slug, table, application.filed_at.astimezone(zone).year, zone)
    mine = [one for places in found.values() for one in places if one.applicant.id == str(application.id)]
    if not mine:
        return {}
    best = next((one for one in mine if one.taken), mine[0])
    waits = "" if best.taken else " (σε αναμονή)"
    return {"station": table.stations[best.station].name.el + waits, "points": str(best.applicant.points), "rank": str(best.rank)}
