"""Tickets in the database: found now and then from lifts, visits and the register; closed and opened again by a person, with a note."""

import asyncio
import logging
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from asty_process.postgres import is_away, is_not_migrated
from sqlalchemy import CursorResult, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from asty_cloud_api.board import terms
from asty_cloud_api.board.tickets import Finding, KnownBin, Reading, Visit, find
from asty_cloud_api.fleet.models import Bin
from asty_cloud_api.fleet.plans import notify, service_day
from asty_cloud_api.fleet.ticket_models import Ticket
from asty_cloud_api.reads.listing import Choice, Column, Listing

log = logging.getLogger(__name__)
LOOK_BACK = timedelta(days=21)
EVERY_SECONDS = 600.0
RETRY_SECONDS = 30.0

_READINGS = """
SELECT t AS at, edge, tag, lat, lon FROM telemetry.v_lift
WHERE t > :since AND (flags IS NULL OR NOT flags && ARRAY['two_tags']) AND marks IS NULL
"""
_VISITS = """
SELECT DISTINCT r.day, e.stop ->> 'id' AS bin, max((e.stop ->> 'eta')::timestamptz) AS at
FROM fleet.route AS r, jsonb_array_elements(r.stops) AS e (stop)
WHERE r.day >= :first AND r.day < :today AND e.stop ->> 'kind' = 'bin'
  AND EXISTS (SELECT 1 FROM fleet.stop_outcome AS o WHERE o.day = r.day AND o.edge = r.edge AND o.outcome = 'lifted')
  AND NOT EXISTS (SELECT 1 FROM fleet.stop_outcome AS o WHERE o.day = r.day AND o.stop = e.stop ->> 'id' AND o.outcome = 'missed')
GROUP BY 1, 2
"""
_SOURCE = """
SELECT t.id, t.kind, t.bin, b.street, b.stream, b.tag, t.detail ->> 'other' AS other, t.detail ->> 'tag' AS read_tag,
       (t.detail ->> 'metres')::float AS metres, t.times, t.first, t.last, t.state, t.note, t.closed, t.closed_by, b.lat, b.lon
FROM fleet.ticket AS t JOIN fleet.bin AS b ON b.id = t.bin
"""
TICKETS = Listing(
    name="tickets",
    title="Tickets",
    source=_SOURCE,
    columns=(
        Column("kind", "What", "term", terms.TICKETS),
        Column("bin", "Bin", "code"),
        Column("street", "Street"),
        Column("times", "Times", "number"),
        Column("first", "Since", "moment"),
        Column("last", "Last time", "moment"),
        Column("state", "State", "state", terms.TICKET_STATES),
        Column("note", "Note"),
        Column("other", "At the place of bin", "code", shown=False),
        Column("read_tag", "Tag as read", "code", shown=False),
        Column("tag", "Tag of the register", "code", shown=False),
        Column("metres", "Metres away", "number", shown=False),
        Column("closed", "Closed at", "moment", shown=False),
        Column("closed_by", "Closed by", shown=False),
        Column("lat", "Latitude", "number", shown=False),
        Column("lon", "Longitude", "number", shown=False),
    ),
    search=("bin", "coalesce(street, '')", "coalesce(tag, '')", "coalesce(read_tag, '')", "coalesce(note, '')"),
    filters=(
        Choice("state", "State", {state: (term, f"state = '{state}'") for state, term in terms.TICKET_STATES.items()}),
        Choice("kind", "What", {kind: (term, f"kind = '{kind}'") for kind, term in terms.TICKETS.items()}),
    ),
    sort="last",
    descending=True,
    order="bin, id",
    empty="No ticket fits. Tickets are made by themselves from lifts and planned visits.",
)


async def keep_finding(writer: AsyncEngine, zone: ZoneInfo) -> None:
    """Look for tickets now and then until cancelled; a database that is away is waited for."""
    while True:
        pause = EVERY_SECONDS
        try:
            await look(writer, zone)
        except (SQLAlchemyError, OSError) as error:
            if not (is_away(error) or is_not_migrated(error)):
                raise
            log.warning("event=tickets_not_looked_for why=%r do=%r", str(error).split("\n", 1)[0], "it is tried again")
            pause = RETRY_SECONDS
        await asyncio.sleep(pause)


async def look(writer: AsyncEngine, zone: ZoneInfo) -> int:
    """Look for tickets in the last weeks; open what is new, bring the open ones up to date; tell how many are new."""
    now = datetime.now(UTC)
    async with writer.connect() as connection:
        bins = [KnownBin(b.id, b.tag, b.lat, b.lon) for b in await connection.execute(select(Bin.id, Bin.tag, Bin.lat, Bin.lon))]
        lifts = await connection.execute(text(_READINGS), {"since": now - LOOK_BACK})
        readings = [Reading(row.at, row.edge, row.tag, row.lat, row.lon) for row in lifts]
        today = service_day(now, zone)
        planned = await connection.execute(text(_VISITS), {"first": today - LOOK_BACK, "today": today})
        visits = _visits(planned, bins, readings, zone)
        closed = await connection.execute(text("SELECT bin, max(closed) AS at FROM fleet.ticket WHERE state = 'closed' GROUP BY bin"))
        settled = {row.bin: row.at for row in closed}
    findings = await asyncio.to_thread(find, bins, readings, visits, settled)
    if not findings:
        return 0
    async with writer.begin() as connection:
        return sum([await _keep(connection, finding) for finding in findings])


def _visits(planned: CursorResult[object], bins: list[KnownBin], readings: list[Reading], zone: ZoneInfo) -> list[Visit]:
    tags = {known.id: known.tag for known in bins}
    read: dict[str, set[object]] = defaultdict(set)
    for reading in readings:
        if reading.tag is not None:
            read[reading.tag].add(service_day(reading.at, zone))
    return [Visit(row.bin, row.day, row.at, row.day in read[tags.get(row.bin) or ""]) for row in planned]


async def _keep(connection: AsyncConnection, finding: Finding) -> bool:
    detail = {"other": finding.other, "tag": finding.tag, "metres": finding.metres}
    new = insert(Ticket).values(
        id=uuid.uuid4(),
        kind=finding.kind,
        bin=finding.bin,
        first=finding.first,
        last=finding.last,
        times=finding.times,
        detail=detail,
        state="open",
    )
    fresh = {"kind": finding.kind, "first": finding.first, "last": finding.last, "times": finding.times, "detail": detail}
    stored = await connection.execute(
        new.on_conflict_do_update(index_elements=["bin"], index_where=text("state = 'open'"), set_=fresh).returning(
            text("xmax = 0 AS fresh")
        )
    )
    is_new = bool(stored.scalar_one())
    if is_new:
        await notify(connection, "ticket", bin=finding.bin)
    return is_new


async def close(connection: AsyncConnection, name: uuid.UUID, by: str, note: str) -> bool:
    """Close an open ticket; what was seen until now makes no new one. Tell whether it was open."""
    changed = update(Ticket).where(Ticket.id == name, Ticket.state == "open")
    done: CursorResult[object] = await connection.execute(changed.values(state="closed", note=note, closed=datetime.now(UTC), closed_by=by))
    return await _told(connection, done)


async def reopen(connection: AsyncConnection, name: uuid.UUID) -> bool:
    """Open a closed ticket again unless its bin has another that is open; tell whether it was."""
    others = select(Ticket.bin).where(Ticket.state == "open")
    changed = update(Ticket).where(Ticket.id == name, Ticket.state == "closed", Ticket.bin.not_in(others))
    done: CursorResult[object] = await connection.execute(changed.values(state="open", closed=None, closed_by=None))
    return await _told(connection, done)


async def _told(connection: AsyncConnection, done: CursorResult[object]) -> bool:
    if done.rowcount:
        await notify(connection, "ticket")
    return bool(done.rowcount)
