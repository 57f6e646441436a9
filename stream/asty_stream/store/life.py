"""The edges' births and states, and what ingest refused: kept one message at a time."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asty_contracts.ids import is_name
from asty_contracts.life import Ack, Birth, State
from asty_contracts.stream import EdgeLife, Refused
from psycopg import AsyncConnection

from asty_stream.incoming import Unreadable, at
from asty_stream.rules.life import KnownLife, accepts
from asty_stream.sequences import Sequences
from asty_stream.store import ledger
from asty_stream.store.keeper import halves
from asty_stream.store.ledger import MAX_SEQUENCE, ack_of
from asty_stream.store.refusals import Refusal, keep_refusals

type Word = bytes | Unreadable

_life = msgspec.json.Decoder(EdgeLife)
_birth = msgspec.json.Decoder(Birth)
_state = msgspec.json.Decoder(State)
_refused = msgspec.json.Decoder(Refused)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError)


async def store_life(
    connection: AsyncConnection[Any], words: Sequence[Word], *, org: str, clock: Callable[[], int]
) -> list[tuple[str, Ack]]:
    """Keep births and states; returns the acknowledgement of each edge that was born, which a broker may have lost."""
    acks: list[tuple[str, Ack]] = []
    now = clock()
    for word in words:
        if isinstance(word, Unreadable):
            await keep_refusals(connection, [_unreadable(word.payload, word.why, now)])
            continue
        try:
            life = _life.decode(word)
            said = (_birth if life.what == "birth" else _state).decode(life.body)
            times = at(life.rx), at(said.at)
        except _UNREADABLE as error:
            await keep_refusals(connection, [_unreadable(word, str(error), now)])
            continue
        if life.org != org or (isinstance(said, Birth) and said.edge != life.edge):
            await keep_refusals(connection, [_unreadable(word, "an edge that is not the topic's", now)])
            continue
        if isinstance(said, Birth):
            async with connection.transaction():
                acks += await _be_born(connection, life, said, times)
            continue
        async with connection.transaction():
            accepted = await _change_state(connection, life, said, times)
        if accepted:  # apart: who stores packs locks the ledger before the edge, so no transaction may lock them the other way round
            await _raise_head(connection, life, said)
    return acks


async def _be_born(
    connection: AsyncConnection[Any], life: EdgeLife, birth: Birth, times: tuple[datetime, datetime]
) -> list[tuple[str, Ack]]:
    await connection.execute(
        """
        INSERT INTO telemetry.edge AS e (edge, org, kind, software, config, birth, born, ep, session, last_seen)
        VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s)
        ON CONFLICT (edge) DO UPDATE SET kind = excluded.kind, software = excluded.software, config = excluded.config,
            birth = excluded.birth, born = excluded.born, ep = excluded.ep, session = excluded.session,
            last_seen = greatest(e.last_seen, excluded.last_seen)
        """,
        [
            life.edge, life.org, birth.kind, birth.software, birth.config, bytes(life.body).decode(), times[1], birth.ep, birth.session,
            times[0],
        ],
    )  # fmt: skip
    cursor = await connection.execute(
        "SELECT stored::text, thinned::text, refused::text, alone::text FROM telemetry.ledger WHERE ep = %s AND edge = %s",
        [birth.ep, life.edge],
    )
    return [(life.edge, ack_of(birth.ep, *map(Sequences.parse, sets))) for sets in await cursor.fetchall()]


async def _change_state(connection: AsyncConnection[Any], life: EdgeLife, state: State, times: tuple[datetime, datetime]) -> bool:
    """Keep a state that is news; tells whether it was."""
    await connection.execute(
        "INSERT INTO telemetry.edge (edge, org, last_seen) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", [life.edge, life.org, times[0]]
    )
    cursor = await connection.execute(
        "SELECT session, ep, n, (extract(epoch FROM state_at) * 1000)::bigint FROM telemetry.edge WHERE edge = %s FOR UPDATE", [life.edge]
    )
    row = await cursor.fetchone()
    if row is None or not accepts(KnownLife(*row), state):
        return False
    await connection.execute(
        """
        UPDATE telemetry.edge SET up = %s, n = %s, state_at = %s, ep = coalesce(%s, ep), last_seen = greatest(last_seen, %s) WHERE edge = %s
        """,
        [state.up, state.n, times[1], state.ep, times[0], life.edge],
    )
    return True


async def _raise_head(connection: AsyncConnection[Any], life: EdgeLife, state: State) -> None:
    """Note how far the edge says that it has produced. Twice changes nothing, so that a crash before it only repeats the state."""
    if state.ep is not None and state.head is not None and 0 < state.head <= MAX_SEQUENCE:
        await connection.execute(
            """
            INSERT INTO telemetry.ledger AS l (org, edge, ep, head) VALUES (%s, %s, %s, %s)
            ON CONFLICT (ep) DO UPDATE SET head = greatest(l.head, excluded.head) WHERE l.edge = excluded.edge
            """,
            [life.org, life.edge, state.ep, state.head],
        )


async def store_refused(
    connection: AsyncConnection[Any], words: Sequence[Word], *, org: str, clock: Callable[[], int]
) -> list[tuple[str, Ack]]:
    """Keep what ingest refused, with its reason; returns what to tell the edges whose records could be named."""
    refusals: list[Refusal] = []
    claims: list[tuple[str, UUID, Sequences]] = []
    now = clock()
    for word in words:
        if isinstance(word, Unreadable):
            refusals.append(_unreadable(word.payload, word.why, now))
            continue
        try:
            it = _refused.decode(word)
            at(it.rx)
        except _UNREADABLE as error:
            refusals.append(_unreadable(word, str(error), now))
        else:
            refusals.append(Refusal("ingest", it.edge, it.topic, it.reason, it.detail, it.payload, it.size, it.rx))
            if it.ep is not None and it.edge is not None and is_name(it.edge):
                claims.append((it.edge, it.ep, Sequences((first, last + 1) for first, last in it.claims)))
    if refusals:
        await keep_refusals(connection, refusals)
    told = [await ledger.refuse(connection, org, edge, ep, numbers) for edge, ep, numbers in claims]
    return [ack for ack in told if ack is not None]


def divided(words: Sequence[Word], error: Exception) -> list[Sequence[Word]]:
    """Return the halves of what could not be kept; a single word becomes a refusal."""
    if len(words) > 1:
        return halves(words)
    [word] = words
    if isinstance(word, Unreadable):
        return [[Unreadable(b"", word.why)]] if word.payload else []
    return [[Unreadable(word, str(error))]]


def _unreadable(payload: bytes, why: str, now: int) -> Refusal:
    return Refusal("stream", None, None, "malformed", why, payload, len(payload), now)
