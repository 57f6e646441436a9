"""A virtual edge delivers as the agent does: what is not acknowledged goes out again, and live goes before backlog."""

from uuid import uuid4

from asty_appliance.bench.outbox import FIRST_BACKOFF_MS, STRETCH, Outbox, Packed
from asty_appliance.bench.publisher import VirtualEdge
from asty_contracts.envelope import decode
from asty_contracts.life import Ack
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_795_000_000_000


def outbox() -> Outbox:
    return Outbox(VirtualEdge("demo", "truck-07"))


def everything(box: Outbox, now: int) -> list[Packed]:
    packs = []
    while (packed := box.next(now)) is not None:
        packs.append(packed)
    return packs


def test_a_pack_holds_the_readings_of_its_second_in_order_the_last_is_now() -> None:
    box = outbox()
    box.read(NOW, 4, 1000)
    [packed] = everything(box, NOW)
    pack = decode(packed.payload)
    assert [it.s for it in pack.recs] == [1, 2, 3, 4]
    assert [it.t for it in pack.recs] == [NOW - 750, NOW - 500, NOW - 250, NOW]
    assert (packed.t_first, packed.t_last) == (NOW - 750, NOW)


def test_what_is_acknowledged_is_deleted_and_what_is_not_goes_out_again_after_a_back_off() -> None:
    box = outbox()
    for second in range(3):
        box.read(NOW + second, 2, 1000)
    sent = everything(box, NOW + 3)
    box.acknowledge(Ack(box.edge.ep, 4), NOW + 10)
    assert box.held == 2
    assert everything(box, NOW + 10 + FIRST_BACKOFF_MS - 1) == []
    later = NOW + 10 + FIRST_BACKOFF_MS
    assert everything(box, later) == sent[2:]
    assert everything(box, later + 2 * FIRST_BACKOFF_MS - 1) == []
    assert everything(box, later + 2 * FIRST_BACKOFF_MS) == sent[2:]


def test_the_acknowledgement_of_another_outbox_deletes_nothing() -> None:
    box = outbox()
    box.read(NOW, 2, 1000)
    box.acknowledge(Ack(uuid4(), 2), NOW)
    assert box.held == 2


def test_what_the_broker_did_not_take_goes_first_the_next_time() -> None:
    box = outbox()
    box.read(NOW, 1, 1000)
    box.read(NOW + 1, 1, 1000)
    first = box.next(NOW + 2)
    assert first is not None
    box.not_sent(first)
    assert [it.first for it in everything(box, NOW + 2)] == [1, 2]


def test_an_alarm_overtakes_the_backlog() -> None:
    box = outbox()
    box.fill(NOW, hours=1, every_ms=10_000)
    assert decode(box.next(NOW).payload).h  # type: ignore[union-attr]
    box.alarm(NOW, 7)
    packed = box.next(NOW)
    assert packed is not None
    pack = decode(packed.payload)
    assert (pack.h, pack.recs[0].k, pack.recs[0].s) == (False, "alarm", 361)


def test_a_backlog_goes_out_only_so_far_ahead_of_its_acknowledgement() -> None:
    box = outbox()
    box.fill(NOW, hours=72, every_ms=10_000)
    assert len(everything(box, NOW)) == STRETCH
    box.acknowledge(Ack(box.edge.ep, 100), NOW)
    assert len(everything(box, NOW)) == 1


@given(st.data())
def test_every_record_arrives_whatever_is_lost_and_however_often_it_is_sent(data: st.DataObject) -> None:
    box = outbox()
    box.fill(NOW, hours=0.5, every_ms=10_000)
    stored: set[int] = set()
    now = NOW
    for _ in range(data.draw(st.integers(1, 12))):
        box.read(now, data.draw(st.integers(1, 5)), 1000)
        for packed in everything(box, now):
            if data.draw(st.booleans()):
                stored |= set(range(packed.first, packed.last + 1))
        now += data.draw(st.sampled_from([1000, 400_000]))
        box.acknowledge(Ack(box.edge.ep, _upto(stored)), now)
    while box.held:
        now += 400_000
        for packed in everything(box, now):
            stored |= set(range(packed.first, packed.last + 1))
        box.acknowledge(Ack(box.edge.ep, _upto(stored)), now)
    assert stored == set(range(1, box.head + 1))


def _upto(stored: set[int]) -> int:
    upto = 0
    while upto + 1 in stored:
        upto += 1
    return upto
