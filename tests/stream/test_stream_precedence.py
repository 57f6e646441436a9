"""Whose transaction goes first when an alarm comes while trucks bring home a backlog."""

import asyncio
from contextlib import suppress

from asty_stream import precedence
from asty_stream.precedence import Precedence


async def test_a_backlog_waits_until_the_last_live_transaction_is_over() -> None:
    order = Precedence()
    with order.live():
        with order.live():
            backlog = asyncio.ensure_future(order.give_way())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not backlog.done()
    await asyncio.wait_for(backlog, 10)


async def test_a_backlog_goes_on_although_live_packs_never_end() -> None:
    order = Precedence()
    with order.live():
        await asyncio.wait_for(order.give_way(), precedence.GIVE_WAY_SECONDS + 10)


async def test_a_backlog_waits_for_nothing_after_a_live_transaction_that_failed() -> None:
    order = Precedence()
    with suppress(OSError), order.live():
        await _database_is_away()
    waiting = asyncio.ensure_future(order.give_way())
    for _ in range(3):  # turns of the loop, no time
        await asyncio.sleep(0)
    assert waiting.done()


async def _database_is_away() -> None:
    raise OSError
