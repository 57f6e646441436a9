"""What an open page relies on from the feed of changes."""

import asyncio
import json

import pytest
from asty_cloud_api import live
from asty_cloud_api.live.feed import Change, Changes, Feed, read_payload
from hypothesis import given
from hypothesis import strategies as st

words = st.tuples(st.sampled_from(["lift", "pos", "alarm"]))


@given(st.lists(words, max_size=40), st.integers(0, 50))
def test_a_page_hears_of_all_that_it_missed_or_is_told_to_read_everything(kinds: list[tuple[str]], seen: int) -> None:
    changes = Changes()
    for kind in kinds:
        changes.add(kind, ())
    heard = changes.since(seen)
    if seen == len(kinds):
        assert heard is None
        return
    assert heard is not None
    assert heard.number == len(kinds)
    missed = kinds[seen:]
    assert set(heard.kinds) == {kind for (kind,) in missed}
    assert changes.is_urgent_since(seen) == (("alarm",) in missed)


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_change_that_names_nothing_makes_a_page_read_everything(before: int, after: int) -> None:
    changes = Changes()
    for _ in range(before):
        changes.add(("pos",), ("truck-01",))
    seen = changes.number
    changes.add((), ())
    for _ in range(after):
        changes.add(("pos",), ("truck-01",))
    assert changes.since(seen) == Change(changes.number)


@given(st.text())
def test_no_notification_can_stop_the_feed(payload: str) -> None:
    kinds, edges = read_payload(payload)
    assert all(isinstance(text, str) for text in kinds + edges)


def test_a_notification_says_which_edge_and_kinds() -> None:
    assert read_payload('{"edge": "truck-01", "kinds": ["lift", "pos"]}') == (("lift", "pos"), ("truck-01",))
    assert read_payload('{"what": "route", "edge": "truck-01", "version": 3}') == (("route",), ("truck-01",))


async def take(feed: Feed, after: str | None, n: int) -> list[bytes]:
    events = feed.follow(after, heartbeat=0.05)
    taken: list[bytes] = []
    async for event in events:
        taken.append(event)
        if len(taken) == n:
            break
    await events.aclose()  # type: ignore[attr-defined]
    return taken


async def test_a_page_made_just_now_hears_nothing_until_something_changes() -> None:
    feed = Feed("")
    assert (await take(feed, feed.position, 2))[1] == b": quiet\n\n"


async def test_a_page_that_was_cut_off_catches_up_with_one_event() -> None:
    feed = Feed("")
    position = feed.position
    feed.changes.add(("lift",), ("truck-01",))
    feed.changes.add(("alarm",), ("truck-02",))
    event = (await take(feed, position, 2))[1].decode()
    assert event.startswith(f"id: {feed.position}\nevent: changed\n")
    assert json.loads(event.split("data: ")[1]) == {"kinds": ["alarm", "lift"], "edges": ["truck-01", "truck-02"]}


async def test_a_page_of_another_life_of_the_server_reads_everything_again() -> None:
    feed = Feed("")
    assert b"event: changed" in (await take(feed, "deadbeef-0", 2))[1]


async def test_a_burst_of_changes_reaches_a_page_as_few_events() -> None:
    feed = Feed("")
    events = feed.follow(feed.position)
    await anext(events)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    for _ in range(100):
        feed.changes.add(("pos",), ("truck-01",))
    async with feed._woken:
        feed._woken.notify_all()
    assert f"id: {feed.token}-100\n".encode() in await waiting
    await events.aclose()  # type: ignore[attr-defined]


async def test_an_alarm_does_not_wait_until_a_page_may_hear_of_positions_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.feed, "MIN_INTERVAL", 3600.0)
    feed = Feed("")
    events = feed.follow(feed.position)
    await anext(events)
    await feed._add(("pos",), ("truck-01",))
    assert b'"pos"' in await anext(events)
    waiting = asyncio.ensure_future(anext(events))
    await feed._add(("pos",), ("truck-02",))
    await asyncio.sleep(2 * live.feed.URGENT_INTERVAL)
    assert not waiting.done()
    await feed._add(("alarm",), ("truck-03",))
    said = json.loads((await waiting).decode().split("data: ")[1])
    assert said == {"kinds": ["alarm", "pos"], "edges": ["truck-02", "truck-03"]}
    await events.aclose()  # type: ignore[attr-defined]


async def test_who_is_signed_out_hears_nothing_more() -> None:
    feed, allowed = Feed(""), True

    async def is_allowed() -> bool:
        return allowed

    events = live.feed.while_allowed(feed.follow(feed.position, heartbeat=0.01), is_allowed, every=0)
    assert [await anext(events), await anext(events)] == [b"retry: 2000\n: asty\n\n", b": quiet\n\n"]
    allowed = False
    feed.changes.add(("alarm",), ("truck-01",))
    assert [event async for event in events] == []
    assert feed.followers == 0


async def test_a_page_is_told_when_the_database_goes_away() -> None:
    feed = Feed("")
    feed.away = True
    assert (await take(feed, feed.position, 2))[1] == b"event: away\ndata: {}\n\n"
