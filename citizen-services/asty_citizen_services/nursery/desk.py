"""The nurseries' lists: read from the cases, and as they were published."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.nursery import ranking
from asty_citizen_services.nursery.models import NurseryList, NurseryObjection, NurseryWithdrawal
from asty_citizen_services.nursery.ranking import Applicant, Move, Place, Seat, Table
from asty_citizen_services.procedures.catalogue import Catalogue, Procedure
from asty_citizen_services.registry.models import Application, Docket

POINTS = "points.toml"
PROVISIONAL, FINAL = "provisional", "final"
ACCEPTED, DENIED = "accepted", "denied"
OUT = ("rejected", "shelved", "forwarded", "erased", "withdrawn")
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
    """Return what the list of each station would be now: applications of a local year, points as objections set them, nobody withdrawn."""
    gone, points = set(withdrawn(session)), _set_by_objections(session, year)
    found = [
        Applicant(
            str(one.id), docket.reference, one.filed_at, points.get(one.id, table.points(one.answers)[1]),
            tuple(str(one.answers[wish]) for wish in ("station", "second_station") if one.answers.get(wish)),
        )
        for one, docket in applications(session, procedure, year, zone)
        if str(one.id) not in gone
    ]  # fmt: skip
    return ranking.rank(table, found)


def frozen(session: Session, procedure: str, table: Table, year: int, zone: ZoneInfo) -> dict[str, tuple[Seat, ...]]:
    """Return the lists of now as they would be published."""
    rules = {str(one.id): tuple(rule.why.el for rule in table.points(one.answers)[0])
             for one, _ in applications(session, procedure, year, zone)}  # fmt: skip
    return {
        station: tuple(
            Seat(one.applicant.id, one.applicant.reference, one.applicant.points, one.rank, one.taken, rules.get(one.applicant.id, ()))
            for one in places
        )
        for station, places in lists(session, procedure, table, year, zone).items()
    }


def withdrawn(session: Session) -> list[str]:
    """Return the applications that were withdrawn, the first first."""
    rows = session.scalars(select(NurseryWithdrawal.application_id).order_by(NurseryWithdrawal.at, NurseryWithdrawal.application_id))
    return [str(one) for one in rows]


def publications(session: Session, year: int) -> list[NurseryList]:
    """Return what was published in a year, the newest version first."""
    return list(session.scalars(select(NurseryList).where(NurseryList.year == year).order_by(NurseryList.version.desc())))


def seats(published: NurseryList) -> dict[str, tuple[Seat, ...]]:
    """Return the lists of a publication."""
    return msgspec.convert(published.places, dict[str, tuple[Seat, ...]])


def moves(session: Session, table: Table, published: NurseryList) -> tuple[Move, ...]:
    """Return who moved up since a final list was published; nobody on a provisional one, which the final one replaces."""
    return ranking.moved(table, seats(published), withdrawn(session)) if published.kind == FINAL else ()


def standing(session: Session, table: Table, published: NurseryList, application: uuid.UUID) -> tuple[Seat, str, bool] | None:
    """Return an application's seat, its station and whether it has a place now; the seat with a place goes before one of waiting."""
    if str(application) in withdrawn(session):
        return None
    up = {move.application: move.station for move in moves(session, table, published)}
    mine = [
        (seat, station, seat.taken or up.get(seat.application) == station)
        for station, all_ in seats(published).items()
        for seat in all_
        if seat.application == str(application)
    ]
    return max(mine, key=lambda one: one[2], default=None)


def place(session: Session, catalogue: Catalogue, application: Application, zone: ZoneInfo) -> Mapping[str, Any]:
    """Return what the decision on an application says of its place: station, points, rank; nothing for other procedures.

    It is the place of the list that was published last; before the first one, of the list as it would be now.
    """
    known = procedure_of(catalogue)
    if known is None or known[0].slug != application.procedure:
        return {}
    procedure, table = known
    year = application.filed_at.astimezone(zone).year
    published = next(iter(publications(session, year)), None)
    if published is not None and (found := standing(session, table, published, application.id)) is not None:
        seat, station, has_place = found
    else:
        mine = [
            (seat, station)
            for station, all_ in frozen(session, procedure.slug, table, year, zone).items()
            for seat in all_
            if seat.application == str(application.id)
        ]
        if not mine:
            return {}
        seat, station = max(mine, key=lambda one: one[0].taken)
        has_place = seat.taken
    waits = "" if has_place else " (σε αναμονή)"
    return {"station": table.stations[station].name.el + waits, "points": str(seat.points), "rank": str(seat.rank)}


def _set_by_objections(session: Session, year: int) -> dict[uuid.UUID, int]:
    rows = session.execute(
        select(NurseryObjection.application_id, NurseryObjection.points)
        .join(NurseryList, NurseryList.id == NurseryObjection.list_id)
        .where(NurseryList.year == year, NurseryObjection.outcome == ACCEPTED, NurseryObjection.points.is_not(None))
        .order_by(NurseryObjection.decided_at)
    )
    return {application: points for application, points in rows if points is not None}
