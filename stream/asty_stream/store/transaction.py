"""One transaction: ledger, records, what is folded from them, what others must be told. All of it or nothing."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from asty_contracts.ids import is_name
from asty_contracts.life import Ack
from asty_contracts.topics import ALERTS, TOWN_EVENTS
from psycopg import AsyncConnection, sql

from asty_stream.incoming import Received, Unreadable, at
from asty_stream.rules.alarms import judge
from asty_stream.rules.lifts import announce
from asty_stream.rules.timing import HOUR
from asty_stream.store import folds, ledger
from asty_stream.store.arrange import Batch, time_of
from asty_stream.store.refusals import Refusal, keep_refusals
from asty_stream.store.tables import PREFIX, TABLES, Table

MAX_RX = 4_102_444_800_000
"""The year 2100, UTC ms: a later receipt is an error of the sender."""


class Outcome(NamedTuple):
    """What a transaction did: the acknowledgements due, by edge, and counts of records and of packs refused."""

    acks: list[tuple[str, Ack]]
    stored: int
    doubled: int
    refused: int
    announced: int


async def store(connection: AsyncConnection[Any], messages: Sequence[Received | Unreadable], *, org: str, now: int) -> Outcome:
    """Store what is new of these packs and return what to acknowledge, also for packs that brought nothing new."""
    packs, refusals = _acceptable(messages, org, now)
    owners: dict[UUID, tuple[str, str]] = {}
    for pack in packs:
        owners.setdefault(pack.ep, (pack.org, pack.edge))
    batch = Batch()
    async with connection.transaction():
        entries = await ledger.lock(connection, owners) if owners else {}
        touched: set[UUID] = set()
        for pack in packs:
            entry = entries[pack.ep]
            if entry.edge != pack.edge:
                refusals.append(_refusal(pack, now, "wrong_edge", f"epoch {pack.ep} belongs to edge {entry.edge}"))
                continue
            batch.add(pack, entry)
            touched.add(pack.ep)
        await _copy(connection, batch)
        if touched:
            await ledger.write(connection, (entries[ep] for ep in touched))
            await _count(connection, batch)
            await folds.fold_bins(connection, batch.lifts)
            await folds.fold_alarms(connection, batch.alarms)
            await _see_edges(connection, org, batch, {entries[ep].edge for ep in touched})
        if refusals:
            await keep_refusals(connection, refusals)
        announced = await _write_announcements(connection, batch, now)
        await _notify(connection, batch)
    acks = [(entries[ep].edge, entries[ep].ack()) for ep in sorted(touched)]
    return Outcome(acks, batch.stored, batch.doubled, len(refusals), announced)


def _acceptable(messages: Sequence[Received | Unreadable], org: str, now: int) -> tuple[list[Received], list[Refusal]]:
    packs: list[Received] = []
    refusals: list[Refusal] = []
    for message in messages:
        if isinstance(message, Unreadable):
            refusals.append(Refusal("stream", None, None, "malformed", message.why, message.payload, len(message.payload), now))
        elif message.org != org or not is_name(message.edge):
            refusals.append(_refusal(message, now, "wrong_edge", f"edge {message.edge[:40]!r} of {message.org[:40]!r} is none of {org}'s"))
        elif not 0 < message.rx < MAX_RX:
            refusals.append(_refusal(message, now, "malformed", f"received at {message.rx}, which is no time"))
        elif not all(1 <= item.s <= ledger.MAX_SEQUENCE for item in message.items):
            refusals.append(_refusal(message, now, "malformed", "a sequence outside of 1..2^53"))
        else:
            packs.append(message)
    return packs, refusals


def _refusal(pack: Received, now: int, reason: str, detail: str) -> Refusal:
    payload = msgspec.json.encode(pack)
    return Refusal("stream", pack.edge, None, reason, detail, payload, len(payload), now)


async def _copy(connection: AsyncConnection[Any], batch: Batch) -> None:
    for data, table in TABLES.items():
        if rows := batch.rows.get(data):
            async with connection.cursor() as cursor, cursor.copy(_COPY[table.name]) as copy:
                copy.set_types(_TYPES[table.name])
                for row in rows:
                    await copy.write_row(row)


def _copy_statement(table: Table) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in PREFIX + table.columns)
    return sql.SQL("COPY telemetry.{} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table.name), names)


_COPY = {table.name: _copy_statement(table) for table in TABLES.values()}
_WRITTEN_AS = {"timestamptz": "int8"}  # on the wire it is one: `micros` spares a datetime for each value
_TYPES = {table.name: [_WRITTEN_AS.get(type_, type_) for _, type_ in PREFIX + table.columns] for table in TABLES.values()}


async def _count(connection: AsyncConnection[Any], batch: Batch) -> None:
    """Add to the tally of each shift, and say which hours the rollups must compute anew."""
    rows = [(epoch, shift.day, shift.name, *count) for (epoch, shift), count in sorted(batch.tally().items())]
    if rows:
        await connection.execute(
            """
            INSERT INTO telemetry.tally AS t (epoch, day, shift, stored, late, highest)
            SELECT * FROM unnest(%s::int[], %s::date[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
            ON CONFLICT (epoch, day, shift) DO UPDATE SET
                stored = t.stored + excluded.stored, late = t.late + excluded.late, highest = greatest(t.highest, excluded.highest)
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )
    if due := sorted(batch.due()):
        await connection.execute(
            "INSERT INTO telemetry.rollup_due (record, hour) SELECT * FROM unnest(%s::text[], %s::timestamptz[])",
            [[record for record, _ in due], [at(hour * HOUR) for _, hour in due]],
        )


async def _see_edges(connection: AsyncConnection[Any], org: str, batch: Batch, edges: set[str]) -> None:
    names = sorted(edges)
    await connection.execute(
        """
        INSERT INTO telemetry.edge AS e (edge, org, last_record)
        SELECT edge, %s, last_record FROM unnest(%s::text[], %s::timestamptz[]) AS n (edge, last_record)
        ON CONFLICT (edge) DO UPDATE SET last_seen = now(), last_record = greatest(e.last_record, excluded.last_record)
        """,
        [org, names, [time_of(batch.last_record.get(name, 0)) for name in names]],
    )


async def _write_announcements(connection: AsyncConnection[Any], batch: Batch, now: int) -> int:
    """Write down what Kafka must be told, so that a crash after the commit does not swallow an alarm."""
    encode = msgspec.json.encode
    rows = [(ALERTS.name, it.edge, encode(judge(it, now))) for it in batch.alarms]
    rows += [(TOWN_EVENTS.name, it.d.tag or it.edge, encode(announce(it))) for it in batch.lifts]
    if rows:
        await connection.execute(
            "INSERT INTO telemetry.announcement (topic, key, value) SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])",
            [list(column) for column in zip(*rows, strict=True)],
        )
    return len(rows)


async def _notify(connection: AsyncConnection[Any], batch: Batch) -> None:
    """Tell listeners of channel telemetry_changed which edges have something new: one small JSON each."""
    news = [json.dumps({"edge": edge, "kinds": sorted(kinds)}) for edge, kinds in sorted(batch.kinds.items())]
    if news:
        await connection.execute("SELECT pg_notify('telemetry_changed', n) FROM unnest(%s::text[]) AS n", [news])
