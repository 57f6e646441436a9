"""The work of the telemetry agents: partitions first, then one transaction; what it refuses is divided down to the record at fault."""

import logging
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from msgspec.structs import replace
from psycopg import AsyncConnection

from asty_stream.incoming import Received, Unreadable, Whole, apart, whole_item
from asty_stream.packed import Packed
from asty_stream.rules.levels import LIMIT
from asty_stream.store.keeper import Keeper, halves, now_ms
from asty_stream.store.partitions import Partitions, weeks_of
from asty_stream.store.transaction import Outcome, store

log = logging.getLogger(__name__)

type Message = Packed | Received | Unreadable


def telemetry_keeper(dsn: str, org: str, *, clock: Callable[[], int] = now_ms, level_limit: float = LIMIT) -> Keeper[Message, Outcome]:
    """Return the keeper of one telemetry agent; `clock` gives the town's time, UTC ms."""
    partitions = Partitions()

    async def work(connection: AsyncConnection[Any], messages: Sequence[Message]) -> Outcome:
        now = clock()
        await partitions.ensure(connection, weeks_of(messages, now))
        return await store(connection, messages, org=org, now=now, level_limit=level_limit)

    return Keeper(dsn, work, divided)


def divided(messages: Sequence[Message], error: Exception) -> list[Sequence[Message]]:
    """Return the halves of what could not be stored; a single record is set aside whole. Empty when nothing is left to set aside."""
    if any(isinstance(message, Packed) for message in messages):
        return [list(chain.from_iterable(apart(it) if isinstance(it, Packed) else [it] for it in messages))]
    if len(messages) > 1:
        return halves(messages)
    [message] = messages
    assert not isinstance(message, Packed)
    if isinstance(message, Unreadable):
        return [[Unreadable(b"", f"{message.why}; its bytes could not be kept")]] if message.payload else []
    items = message.items
    if len(items) > 1:
        return [[replace(message, items=list(half))] for half in halves(items)]
    if not items or (isinstance(items[0].d, Whole) and items[0].d.record.startswith('"')):
        return []
    log.warning("sequence %d of %s was refused by the database and is kept whole in telemetry.other: %s", items[0].s, message.edge, error)
    return [[replace(message, items=[whole_item(items[0], str(error).replace("\0", ""))])]]
