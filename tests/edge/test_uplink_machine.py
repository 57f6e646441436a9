"""What is sent when: conversations with the machine, in its own time."""

from uuid import uuid4

import pytest
from asty_contracts.life import Ack
from asty_edge.ranges import Ranges
from asty_edge.uplink.machine import FIRST_BACKOFF_MS, LAST_BACKOFF_MS, PROBE, Lane, Tuning, Uplink
from asty_edge.uplink.reconnect import Reconnect

EPOCH = uuid4()
WIDE = Tuning(stretch=dict.fromkeys(Lane, 100))


class Talk:
    """Drives a machine whose outbox holds every number; packs reach the broker at once unless told otherwise."""

    def __init__(self, acked=0, head=0, tuning=None):
        self.now = 1_000_000
        self.machine = Uplink(EPOCH, acked, head, tuning)

    def connect(self):
        self.machine.connected(self.now)
        return self

    def born(self, first, last, urgent=()):
        self.machine.appended(first, last, urgent, self.now)
        return self

    def later(self, ms):
        self.now += ms
        return self

    def sends(self, *, puback=True):
        """Return (lane, first, last) of each pack that goes now."""
        packs = []
        while (want := self.machine.want(self.now)) is not None:
            numbers = [n for first, last in want.numbers for n in range(first, last + 1)][: want.limit]
            pack = self.machine.sent(want, numbers, self.now)
            packs.append((want.lane, numbers[0], numbers[-1]))
            if puback:
                self.machine.puback(pack, self.now)
        return packs

    def ack(self, upto, *miss):
        assert self.machine.acknowledged(Ack(EPOCH, upto, miss), self.now)
        return self


def test_a_live_pack_waits_a_second_for_company():
    talk = Talk().connect().born(1, 3)
    assert talk.sends() == []
    assert talk.machine.wake_at(talk.now) == talk.now + 1000
    assert talk.later(999).sends() == []
    assert talk.later(1).sends() == [(Lane.LIVE, 1, 3)]


def test_a_hundred_records_wait_for_nothing():
    assert Talk().connect().born(1, 100).sends() == [(Lane.LIVE, 1, 100)]


def test_an_alarm_goes_at_once_and_before_everything():
    talk = Talk(head=5000)
    talk.later(FIRST_BACKOFF_MS).connect().born(5001, 5003, urgent=(5002,))
    packs = talk.sends(puback=False)
    assert packs[0] == (Lane.ALARM, 5002, 5002)
    assert all(lane is Lane.BACKLOG for lane, _, _ in packs[1:])


def test_a_backlog_puts_few_packs_before_the_store_however_long_it_is():
    talk = Talk(head=100_000).connect()
    assert len(talk.sends()) == 16
    assert talk.sends() == []
    talk.ack(800)
    assert len(talk.sends()) == 8


def test_live_overtakes_a_backlog_that_fills_its_window():
    talk = Talk(head=5000).connect()
    assert len(talk.sends(puback=False)) == 4
    talk.born(5001, 5100)
    assert talk.sends(puback=False) == [(Lane.LIVE, 5001, 5100)]


def test_what_is_older_than_a_minute_when_the_connection_begins_is_backlog():
    talk = Talk().born(1, 10).later(61_000).born(11, 20).later(30_000).connect()
    assert talk.sends() == [(Lane.LIVE, 11, 20), (Lane.BACKLOG, 1, 10)]


def test_an_alarm_that_got_old_offline_is_history():
    talk = Talk().born(1, 1, urgent=(1,)).later(61_000).connect()
    assert talk.sends() == [(Lane.BACKLOG, 1, 1)]


def test_what_a_previous_run_left_is_backlog_even_when_it_is_fresh():
    assert Talk(head=7).connect().sends() == [(Lane.BACKLOG, 1, 7)]


def test_a_puback_frees_the_window_and_settles_nothing():
    talk = Talk(head=3000).connect()
    assert len(talk.sends(puback=False)) == 4
    talk.machine.puback(1, talk.now)
    assert talk.sends(puback=False) == [(Lane.BACKLOG, 401, 500)]
    assert talk.machine.acked == 0
    assert talk.machine.unacknowledged == 3000


def test_packs_without_a_puback_go_again_on_the_next_connection():
    talk = Talk().connect().born(1, 100)
    talk.sends(puback=False)
    talk.machine.disconnected()
    assert talk.sends() == []
    assert list(talk.machine.on_their_way) == [(1, 100)], "they may have come: nobody thins them meanwhile"
    assert talk.connect().sends() == [(Lane.LIVE, 1, 100)]


def test_an_acknowledgement_settles_up_to_its_number():
    talk = Talk().connect().born(1, 100)
    talk.sends()
    talk.ack(60)
    assert talk.machine.acked == 60
    assert talk.machine.on_their_way.first == 61


def test_an_acknowledgement_of_another_epoch_is_ignored():
    talk = Talk().connect().born(1, 100)
    talk.sends()
    assert not talk.machine.acknowledged(Ack(uuid4(), 100), talk.now)
    assert talk.machine.acked == 0


def test_an_old_acknowledgement_takes_nothing_back():
    talk = Talk().connect().born(1, 100)
    talk.sends()
    talk.ack(60)
    assert not talk.machine.acknowledged(Ack(EPOCH, 10, ((11, 20),)), talk.now)
    assert talk.machine.acked == 60


def test_a_pack_goes_again_at_once_when_a_later_one_of_its_lane_is_stored():
    talk = Talk().connect()
    for first in (1, 101, 201):
        talk.born(first, first + 99).sends()
    assert talk.ack(100, (101, 200)).sends() == [(Lane.LIVE, 101, 200)]
    assert talk.ack(100, (101, 200)).sends() == [], "the same news twice must not send twice"


def test_a_backlog_that_live_overtook_is_not_missing():
    talk = Talk(head=400).connect()
    talk.sends()
    talk.born(401, 500).sends()
    assert talk.ack(0, (1, 400)).sends() == []


def test_what_stays_unacknowledged_goes_again_after_a_back_off_that_doubles():
    talk = Talk().connect().born(1, 100)
    talk.sends()
    waits = []
    for _ in range(7):
        due = talk.machine.wake_at(talk.now)
        waits.append(due - talk.now)
        talk.later(due - talk.now - 1)
        assert talk.sends() == []
        assert talk.later(1).sends() == [(Lane.LIVE, 1, 100)]
    assert waits == [FIRST_BACKOFF_MS, 20_000, 40_000, 80_000, 160_000, LAST_BACKOFF_MS, LAST_BACKOFF_MS]


def test_what_an_alarm_overtook_does_not_go_again():
    talk = Talk().connect().born(1, 100)
    talk.sends()
    talk.born(101, 101, urgent=(101,)).sends()
    assert talk.ack(0, (1, 100)).sends() == [], "it is on its way: an alarm goes before everything"


def test_an_alarm_that_is_lost_goes_again_at_once_and_as_an_alarm():
    talk = Talk().connect().born(1, 1, urgent=(1,))
    talk.sends()
    talk.born(2, 101).sends()
    talk.born(102, 201)
    assert talk.ack(0, (1, 1)).sends()[0] == (Lane.ALARM, 1, 1)
    talk.machine.disconnected()
    talk.connect().sends()
    talk.born(202, 301).born(302, 302, urgent=(302,)).sends(puback=False)
    talk.machine.disconnected()
    assert talk.connect().sends()[0] == (Lane.ALARM, 302, 302)


def test_an_alarm_that_got_old_on_its_way_goes_again_as_history():
    talk = Talk().connect().born(1, 1, urgent=(1,))
    talk.sends()
    talk.machine.disconnected()
    talk.later(61_000).connect()
    assert talk.later(FIRST_BACKOFF_MS).sends() == [(Lane.BACKLOG, 1, 1)]


def test_progress_starts_the_back_off_anew():
    talk = Talk().connect().born(1, 200)
    talk.sends()
    talk.later(FIRST_BACKOFF_MS).sends()
    talk.later(5000).ack(100)
    assert talk.machine.wake_at(talk.now) == talk.now + FIRST_BACKOFF_MS


def test_while_a_backlog_drains_nothing_is_sent_twice():
    talk = Talk(head=3000, tuning=WIDE).connect()
    talk.sends()
    talk.born(3001, 3100).sends()
    for upto in range(500, 3000, 500):
        assert talk.later(9000).ack(upto, (upto + 1, 3000)).sends() == []


def test_what_the_store_shows_to_have_does_not_go_again():
    talk = Talk(head=100).connect()
    talk.sends()
    talk.born(101, 200).sends()
    talk.ack(0, (1, 100), (151, 160))
    assert talk.later(FIRST_BACKOFF_MS).sends() == [(Lane.LIVE, 151, 200), (Lane.BACKLOG, 1, 100)], "101 to 150 are there"


def test_a_store_that_is_down_is_asked_with_a_probe_and_not_with_everything():
    talk = Talk(head=10_000, tuning=WIDE).connect()
    talk.sends()
    again = talk.later(FIRST_BACKOFF_MS).sends()
    assert sum(last - first + 1 for _, first, last in again) == PROBE
    talk.ack(1000)
    more = talk.later(FIRST_BACKOFF_MS).sends()
    assert sum(last - first + 1 for _, first, last in more) == 2 * PROBE


def test_numbers_that_the_outbox_gave_up_are_not_asked_for_again():
    talk = Talk(head=50).connect()
    want = talk.machine.want(talk.now)
    assert talk.machine.sent(want, [], talk.now) is None
    assert talk.machine.want(talk.now) is None
    assert talk.machine.is_idle


def test_a_flush_sends_what_waits_for_company():
    talk = Talk().connect().born(1, 2)
    talk.machine.flush()
    assert talk.sends() == [(Lane.LIVE, 1, 2)]
    talk.born(3, 4)
    assert talk.sends() == [], "a flush is for once"


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_reconnecting_waits_between_one_second_and_five_minutes(chance):
    reconnect = Reconnect()
    waits = [reconnect.failed(chance) for _ in range(40)]
    assert waits[0] == 1.0
    assert all(1.0 <= wait <= 300.0 for wait in waits)
    assert waits == sorted(waits)
    reconnect.succeeded()
    assert reconnect.failed(chance) == 1.0


def test_records_refused_in_company_go_out_again_one_by_one_and_the_others_go_on_together():
    talk = Talk().connect().born(1, 5, urgent=(5,))
    talk.later(1000).sends()
    assert talk.machine.acknowledged(Ack(EPOCH, 0, alone=((2, 4),)), talk.now)
    talk.born(6, 8).later(1000)
    assert sorted(talk.sends()) == [(Lane.LIVE, 2, 2), (Lane.LIVE, 3, 3), (Lane.LIVE, 4, 4), (Lane.LIVE, 6, 8)]
    talk.machine.acknowledged(Ack(EPOCH, 1, alone=((2, 4),)), talk.now)
    assert talk.sends() == [], "they are on their way"
    assert talk.later(FIRST_BACKOFF_MS).sends().count((Lane.LIVE, 3, 3)) == 1, "what stays unacknowledged goes alone again"


def test_backlog_refused_in_company_goes_out_again_one_by_one_as_backlog():
    talk = Talk(head=150).connect()
    assert talk.sends() == [(Lane.BACKLOG, 1, 100), (Lane.BACKLOG, 101, 150)]
    talk.machine.acknowledged(Ack(EPOCH, 0, alone=((149, 150),)), talk.now)
    assert talk.sends() == [(Lane.BACKLOG, 149, 149), (Lane.BACKLOG, 150, 150)]


def test_what_was_set_aside_is_sent_no_more():
    talk = Talk().connect().born(1, 3)
    talk.later(1000).sends()
    talk.machine.set_aside(Ranges([(2, 2)]))
    assert talk.later(FIRST_BACKOFF_MS).sends() == [(Lane.LIVE, 1, 3)], "2 is not among the numbers asked for"
