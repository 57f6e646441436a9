"""One transaction: ledger, records, what is folded from them, what others must be told. All of it or nothing."""

import json
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from asty_contracts.groups import Head
from asty_contracts.ids import is_name
from asty_contracts.life import Ack
from asty_contracts.stream import PlanTrigger
from asty_contracts.topics import ALERTS, PLAN_TRIGGERS, TOWN_EVENTS
from psycopg import AsyncConnection, sql

from asty_stream.incoming import Received, Unreadable, apart, at
from asty_stream.packed import Packed
from asty_stream.rules.alarms import judge
from asty_stream.rules.levels import LIMIT
from asty_stream.rules.lifts import announce
from asty_stream.rules.timing import HOUR
from asty_stream.store import binary, folds, ledger, levels
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


async def store(
    connection: AsyncConnection[Any], messages: Sequence[Packed | Received | Unreadable], *, org: str, now: int, level_limit: float = LIMIT
) -> Outcome:
    """Store what is new of these packs and return what to acknowledge, also for packs that brought nothing new.

    `level_limit` is the % from which a bin is to be emptied at once, where its sensor brings no limit.
    """
    groups, packs, refusals = _acceptable(messages, org, now)
    owners: dict[UUID, tuple[str, str]] = {}
    senders: Iterable[Head | Received] = chain(*(group.heads for group in groups), packs)
    for sender in senders:
        owners.setdefault(sender.ep, (org, sender.edge))
    batch = Batch()
    triggers: list[PlanTrigger] = []
    async with connection.transaction():
        entries = await ledger.lock(connection, owners) if owners else {}
        touched = {head.ep for group in groups for head in group.heads if entries[head.ep].edge == head.edge}
        for group in groups:
            packs += batch.add_group(group, entries)
        for pack in packs:
            entry = entries[pack.ep]
            if entry.edge != pack.edge:
                refusals.append(_refusal(pack, now, "wrong_edge", f"epoch {pack.ep} belongs to edge {entry.edge}"))
                continue
            batch.add(pack, entry)
            touched.add(pack.ep)
        batch.lay_out()
        await _copy(connection, batch)
        async with connection.pipeline():  # most of these statements answer nothing: one wait for all of them
            if touched:
                await ledger.write(connection, (entries[ep] for ep in touched))
                await _count(connection, batch)
                await folds.fold_bins(connection, batch.lifts)
                await folds.fold_alarms(connection, batch.alarms)
                triggers = await levels.fold_levels(connection, batch.levels, now, level_limit)
                await _see_edges(connection, org, batch, {entries[ep].edge for ep in touched})
            if refusals:
                await keep_refusals(connection, refusals)
            announced = await _write_announcements(connection, batch, triggers, now)
            await _notify(connection, batch)
    acks = [(entries[ep].edge, entries[ep].ack()) for ep in sorted(touched)]
    return Outcome(acks, batch.stored, batch.doubled, len(refusals), announced)


def _acceptable(
    messages: Sequence[Packed | Received | Unreadable], org: str, now: int
) -> tuple[list[Packed], list[Received], list[Refusal]]:
    """Return the groups and the packs that can be taken; a group with one that can't is taken apart."""
    groups: list[Packed] = []
    packs: list[Received] = []
    refusals: list[Refusal] = []
    for message in messages:
        if isinstance(message, Unreadable):
            refusals.append(Refusal("stream", None, None, "malformed", message.why, message.payload, len(message.payload), now))
        elif isinstance(message, Packed) and not any(_fault(message.org, it.edge, it.rx, _ends(it.runs), org) for it in message.heads):
            groups.append(message)
        else:
            for pack in apart(message) if isinstance(message, Packed) else [message]:
                if fault := _fault(pack.org, pack.edge, pack.rx, [item.s for item in pack.items], org):
                    refusals.append(_refusal(pack, now, *fault))
                else:
                    packs.append(pack)
    return groups, packs, refusals


def _fault(of: str, edge: str, rx: int, sequences: Iterable[int], org: str) -> tuple[str, str] | None:
    """Return why a pack can't be taken, as reason and detail."""
    if of != org or not is_name(edge):
        return "wrong_edge", f"edge {edge[:40]!r} of {of[:40]!r} is none of {org}'s"
    if not 0 < rx < MAX_RX:
        return "malformed", f"received at {rx}, which is no time"
    if not all(1 <= s <= ledger.MAX_SEQUENCE for s in sequences):
        return "malformed", "a sequence outside of 1..2^53"
    return None


def _ends(runs: tuple[int, ...]) -> tuple[int, ...]:
    return (runs[0], runs[-2] + runs[-1] - 1) if runs else ()


def _refusal(pack: Received, now: int, reason: str, detail: str) -> Refusal:
    payload = msgspec.json.encode(pack)
    return Refusal("stream", pack.edge, None, reason, detail, payload, len(payload), now)


async def _copy(connection: AsyncConnection[Any], batch: Batch) -> None:
    for data, table in TABLES.items():
        laid_out, rows = batch.laid_out.get(data), batch.rows.get(data)
        if laid_out or rows:
            async with connection.cursor() as cursor, cursor.copy(_COPY[table.name]) as copy:
                copy.set_types(_TYPES[table.name])
                if laid_out:
                    await copy.write(binary.SIGNATURE + laid_out)
                for row in rows or ():
                    await copy.write_row(row)
                if not rows:
                    await copy.write(binary.END)


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


async def _write_announcements(connection: AsyncConnection[Any], batch: Batch, triggers: Sequence[PlanTrigger], now: int) -> int:
    """Write down what Kafka must be told, so that a crash after the commit does not swallow an alarm."""
    encode = msgspec.json.encode
    rows = [(ALERTS.name, it.edge, encode(judge(it, now))) for it in batch.alarms]
    rows += [(TOWN_EVENTS.name, it.d.tag or it.edge, encode(announce(it))) for it in batch.lifts]
    rows += [(PLAN_TRIGGERS.name, it.subject, encode(it)) for it in triggers]
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
