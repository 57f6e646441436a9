"""From what the lift, the scale, the reader and the receiver say to lifts with their evidence."""

import pytest
from asty_contracts.records import BinSeen, Lift, Weight
from asty_edge.config import FusionSettings
from asty_edge.event import Moment
from asty_edge.fusion import Fusion
from asty_edge.reading import Fix, LiftReading, TagRead, Weighing

TAG, OTHER = "80003DE0075BCD15", "80003DE0000000FF"
UTC = 1_795_000_000_000


class Shift:
    """A truck at work; times are seconds since its start."""

    def __init__(self, **settings):
        self.fusion = Fusion(FusionSettings(**settings))
        self.events = []

    def _when(self, at):
        return Moment(int(at * 1000), UTC + int(at * 1000), "gnss")

    def _feed(self, at, reading):
        self.events += self.fusion.feed(reading, self._when(at))
        return self

    def lift(self, at, state, cycle, fault=0):
        return self._feed(at, LiftReading("lift", int(at * 1000), state, cycle, fault, 0.0, 0.0, 1, False, False, False, True, False))

    def weigh(self, at, kg, stable=True, net=False):
        return self._feed(at, Weighing("scale", int(at * 1000), kg, stable, net))

    def tag(self, at, tag=TAG):
        return self._feed(at, TagRead("rfid", int(at * 1000), tag, "fdxb"))

    def fix(self, at, lat=40.77, valid=True):
        return self._feed(at, Fix("gps", int(at * 1000), valid, UTC, lat, 22.38, 0.0, 0.0))

    def tick(self, at):
        self.events += self.fusion.tick(self._when(at))
        return self

    def of(self, kind):
        return [event.data for event in self.events if isinstance(event.data, kind)]

    @property
    def one_lift(self):
        (lift,) = self.of(Lift)
        return lift


def cycle(shift, start=20, base=7, tag=TAG, gross=130.0, tare=12.0, step=0.1):
    """Play one complete cycle: 3 s up with a stable load at the end, 3 s dump, 3 s down with a stable empty bin at its beginning."""
    shift.lift(start - 1, "idle", base).fix(start - 1)
    if tag:
        shift.tag(start - 2, tag)
    at = start
    for n in range(90):
        at = start + n * step
        state = ("raising", "dumping", "lowering")[n // 30]
        shift.lift(at, state, base)
        load = {"raising": gross, "dumping": 60.0, "lowering": tare}[state]
        stable = (state == "raising" and n >= 15) or (state == "lowering" and n < 75)
        if load is not None:
            shift.weigh(at + step / 2, load if stable else load + (n % 7) - 3, stable)
        if n % 10 == 0:
            shift.fix(at + step / 2, lat=40.77 + n / 1e6)
    return shift.lift(at + step, "idle", base + 1)


def test_a_complete_cycle_is_a_lift_with_all_its_evidence():
    lift = cycle(Shift()).one_lift
    assert (lift.cycle, lift.tag, lift.std, lift.others) == (8, TAG, "fdxb", ())
    assert (lift.gross, lift.tare, lift.net, lift.stable) == (130.0, 12.0, 118.0, True)
    assert lift.flags == ()
    assert (lift.started, lift.ended) == (UTC + 20_000, UTC + 29_000)
    assert lift.fix == "gps"
    assert lift.lat == pytest.approx(40.77 + 30 / 1e6), "the place of the dump, not of the start"
    assert lift.fix_age <= 100


def test_two_bins_in_a_row_are_two_lifts_with_their_own_evidence():
    shift = cycle(Shift(), gross=100.0)
    cycle(shift, start=31, base=8, tag=OTHER, gross=200.0)
    first, second = shift.of(Lift)
    assert (first.tag, first.net) == (TAG, 88.0)
    assert (second.tag, second.net) == (OTHER, 188.0)


def test_a_broken_off_cycle_is_no_lift_and_its_tag_was_only_seen():
    shift = Shift().lift(19, "idle", 7).tag(19.5).lift(20, "raising", 7).lift(22, "lowering", 7).lift(24, "idle", 7)
    shift.tick(60)
    assert shift.of(Lift) == []
    assert [seen.tag for seen in shift.of(BinSeen)] == [TAG]


@pytest.mark.parametrize(
    ("tag_at", "flags"),
    [(9.9, ("no_tag",)), (10.1, ()), (22.9, ()), (27.0, ("no_tag",))],
    ids=["more than 10 s before", "while it is wheeled to the lift", "while it goes up", "after the dump"],
)
def test_a_tag_counts_from_ten_seconds_before_the_start_to_the_dump(tag_at, flags):
    shift = Shift()
    shift.lift(19, "idle", 7).fix(19)
    played = [(tag_at, lambda: shift.tag(tag_at))]
    for at, state in [(20, "raising"), (23, "dumping"), (26, "lowering")]:
        played.append((at, lambda at=at, state=state: shift.lift(at, state, 7)))
    played += [(22, lambda: shift.weigh(22, 100.0)), (26.5, lambda: shift.weigh(26.5, 10.0))]
    played += [(at, lambda at=at: shift.lift(at, "raising", 7)) for at in (21, 22.5)]
    for _, play in sorted(played, key=lambda one: one[0]):
        play()
    shift.lift(27.5, "lowering", 7).lift(29, "idle", 8)
    assert shift.one_lift.flags == flags


def test_two_tags_are_both_named_and_the_nearest_to_the_start_counts():
    shift = Shift().lift(10, "idle", 7).tag(12, OTHER).tag(19, TAG)
    lift = cycle(shift, tag=None).one_lift
    assert (lift.tag, lift.others) == (TAG, (OTHER,))
    assert "two_tags" in lift.flags


def test_the_bin_before_passing_the_antenna_on_its_way_down_is_not_the_next_bin():
    shift = cycle(Shift())
    shift.tag(28.9).tag(29.5)
    cycle(shift, start=31, base=8, tag=OTHER)
    second = shift.of(Lift)[1]
    assert (second.tag, second.others, second.flags) == (OTHER, (), ())


def test_the_bin_on_its_way_down_does_not_lend_its_tag_to_the_next_one():
    shift = Shift()
    shift.lift(19, "idle", 7).fix(19).tag(19.5).lift(20, "raising", 7).lift(23, "dumping", 7).lift(26, "lowering", 7).tag(27)
    shift.lift(29, "idle", 8)
    cycle(shift, start=31, base=8, tag=None)
    assert shift.of(Lift)[1].flags == ("no_tag",)


def test_a_tag_read_during_the_lift_is_not_also_a_bin_seen():
    assert cycle(Shift()).tick(100).of(BinSeen) == []


def test_a_bin_read_in_passing_is_seen_once_with_its_place_and_time():
    shift = Shift().fix(5).tag(5).tag(7).tag(9).tick(12).tick(30).tick(60)
    (seen,) = shift.of(BinSeen)
    assert (seen.tag, seen.lat) == (TAG, 40.77)
    assert next(event.when.utc for event in shift.events if isinstance(event.data, BinSeen)) == UTC + 5000


# Weights


@pytest.mark.parametrize(
    ("gross", "tare", "flag"),
    [(None, None, "no_weight"), (130.0, None, "no_weight"), (None, 12.0, "no_weight")],
    ids=["no scale", "nothing after the dump", "nothing before the dump"],
)
def test_without_a_pair_there_is_no_net(gross, tare, flag):
    lift = cycle(Shift(), gross=gross, tare=tare).one_lift
    assert (lift.net, lift.stable) == (None, False)
    assert (lift.gross, lift.tare) == (gross, tare)
    assert flag in lift.flags


def test_an_unstable_load_is_flagged_and_not_guessed():
    shift = Shift().lift(19, "idle", 7).tag(19).fix(19)
    for n in range(30):
        shift.lift(20 + n / 10, "raising", 7).weigh(20.05 + n / 10, 100.0 + n, stable=False)
    shift.lift(23, "dumping", 7).lift(25, "lowering", 7).weigh(25.1, 12.0).lift(25.2, "lowering", 7).lift(27, "idle", 8)
    lift = shift.one_lift
    assert (lift.gross, lift.tare, lift.net) == (None, 12.0, None)
    assert lift.flags == ("unstable",)


def test_overload_is_flagged():
    shift = Shift().lift(19, "idle", 7).tag(19).fix(19).lift(20, "raising", 7).weigh(21, None, stable=False).lift(22, "dumping", 7)
    shift.lift(24, "lowering", 7).weigh(24.1, 12.0).lift(24.2, "lowering", 7).lift(26, "idle", 8)
    assert "overload" in shift.one_lift.flags
    assert shift.one_lift.net is None


def test_the_last_stable_load_before_and_the_first_after_the_dump_count():
    shift = Shift().lift(19, "idle", 7).tag(19).fix(19)
    for at, state, kg in [
        (20, "raising", 90.0), (21, "raising", 130.0), (22, "raising", None), (23, "dumping", 77.0),
        (24, "lowering", 12.0), (25, "lowering", 3.0), (26, "lowering", 0.0),
    ]:  # fmt: skip
        shift.lift(at, state, 7)
        if kg is not None:
            shift.weigh(at + 0.1, kg)
        shift.lift(at + 0.2, state, 7)
    assert shift.lift(27, "idle", 8).one_lift.net == 118.0


def test_between_two_polls_the_last_load_before_and_the_first_after_the_dump_count():
    shift = Shift().lift(19, "idle", 7).tag(19).fix(19).lift(20, "raising", 7).weigh(20.1, 90.0).weigh(20.2, 130.0).lift(20.5, "dumping", 7)
    shift.lift(24, "lowering", 7).weigh(24.1, 12.0).weigh(24.2, 3.0).lift(24.5, "lowering", 7).lift(26, "idle", 8)
    assert (shift.one_lift.gross, shift.one_lift.tare) == (130.0, 12.0)


def test_a_load_weighed_while_nobody_watched_the_lift_is_not_used():
    shift = Shift().lift(19, "idle", 7).tag(19).fix(19).lift(20, "raising", 7).weigh(20.5, 130.0).lift(20.6, "raising", 7)
    shift.weigh(30, 55.0).lift(40, "raising", 7).lift(41, "dumping", 7).lift(44, "idle", 8)
    assert shift.one_lift.gross == 130.0


def test_shaking_the_bin_once_more_keeps_the_first_load_and_takes_the_last_empty():
    shift = Shift().lift(19, "idle", 7).tag(19).fix(19)
    for at, state, kg in [
        (20, "raising", 130.0), (23, "dumping", None), (25, "lowering", 40.0),
        (26, "raising", 40.0), (27, "dumping", None), (28, "lowering", 12.0),
    ]:  # fmt: skip
        shift.lift(at, state, 7)
        if kg is not None:
            shift.weigh(at + 0.1, kg)
        shift.lift(at + 0.2, state, 7)
    lift = shift.lift(30, "idle", 8).one_lift
    assert (lift.gross, lift.tare, lift.net) == (130.0, 12.0, 118.0)


def test_a_net_and_a_gross_display_are_never_subtracted():
    shift = Shift().lift(19, "idle", 7).tag(19).fix(19).lift(20, "raising", 7).weigh(21, 130.0).lift(21.5, "raising", 7)
    shift.lift(22, "dumping", 7).lift(24, "lowering", 7).weigh(24.1, 5.0, net=True).lift(24.2, "lowering", 7).lift(26, "idle", 8)
    assert shift.one_lift.net is None
    assert "mixed_modes" in shift.one_lift.flags


def test_stability_can_be_asked_for_longer_than_the_indicator_does():
    assert cycle(Shift(stable_s=1.0)).one_lift.net == 118.0
    assert cycle(Shift(stable_s=2.0)).one_lift.net is None


def test_weights_of_a_lift_that_was_out_of_sight_are_not_used():
    shift = Shift().lift(19, "idle", 7).tag(19).fix(19).lift(20, "raising", 7).weigh(20.5, 130.0).lift(20.6, "raising", 7)
    shift.weigh(40, 55.0).lift(600, "lowering", 9).weigh(600.1, 12.0).lift(600.2, "lowering", 9).lift(602, "idle", 10)
    lift = shift.one_lift
    assert (lift.gross, lift.tare, lift.net) == (None, None, None)
    assert "counter_reset" in lift.flags


# The counter is the truth


@pytest.mark.parametrize(
    ("polls", "cycles", "flags"),
    [
        ([("idle", 7), ("idle", 8)], [8], {"states_missed"}),
        ([("idle", 7), ("dumping", 7), ("idle", 8)], [8], {"states_missed"}),
        ([("idle", 7), ("lowering", 8), ("idle", 8)], [8], {"states_missed"}),
        ([("idle", 7), ("raising", 7), ("idle", 8)], [8], {"states_missed"}),
        ([("idle", 7), ("raising", 8), ("idle", 8)], [8], {"states_missed"}),
        ([("raising", 7), ("dumping", 7), ("lowering", 7), ("raising", 8), ("dumping", 8), ("lowering", 8), ("idle", 9)], [8, 9], set()),
        ([("idle", 7), ("raising", 7), ("dumping", 7), ("lowering", 8), ("idle", 8)], [8], set()),
        ([("idle", 7), ("idle", 10)], [10], {"states_missed", "counter_reset"}),
        ([("idle", 7), ("idle", 0)], [], set()),
        ([("idle", 7), ("raising", 7), ("dumping", 7), ("idle", 0)], [0], {"counter_reset"}),
        ([("idle", 7), ("raising", 7), ("idle", 0)], [], set()),
        ([("idle", 0xFFFFFFFF), ("raising", 0xFFFFFFFF), ("dumping", 0xFFFFFFFF), ("idle", 0)], [0], set()),
        ([("idle", 7), ("unknown", 0), ("idle", 7)], [], set()),
        ([("lowering", 7), ("idle", 8)], [8], {"states_missed"}),
    ],
    ids=[
        "only idle was seen", "raising was missed", "raising and dumping were missed", "dumping and lowering were missed",
        "the counter grew before the next cycle was seen", "idle between two bins was missed", "the counter grows at the end of the dump",
        "a jump", "a reset while idle", "a reset during a dump", "a reset while raising", "the counter wraps",
        "the controller does not know", "the agent started during a cycle",
    ],
)  # fmt: skip
def test_the_counter_proves_lifts_whatever_states_were_missed(polls, cycles, flags):
    shift = Shift().fix(9)
    if polls[0][0] == "raising":
        shift.lift(9, "idle", polls[0][1])
    for number, (state, counter) in enumerate(polls):
        shift.tag(9.5 + number * 2) if number == 0 else None
        shift.lift(10 + number * 2, state, counter)
    lifts = shift.of(Lift)
    assert [lift.cycle for lift in lifts] == cycles
    for lift in lifts:
        assert set(lift.flags) - {"no_tag", "no_weight", "unstable"} == flags


def test_a_fault_during_the_cycle_is_flagged_and_an_alarm():
    shift = Shift().lift(19, "idle", 7).fix(19).tag(19).lift(20, "raising", 7).lift(21, "fault", 7, fault=4).lift(22, "raising", 7)
    shift.lift(23, "dumping", 7).lift(24, "lowering", 7).lift(25, "idle", 8)
    assert "fault" in shift.one_lift.flags
    assert [event.data.on for event in shift.events if getattr(event.data, "code", "") == "lift_fault"] == [True, False]


def test_a_lift_that_does_not_come_down_is_an_alarm():
    shift = Shift(cycle_timeout_s=60).lift(19, "idle", 7).lift(20, "raising", 7).tick(70).tick(81).tick(82)
    shift.lift(90, "lowering", 7).lift(91, "idle", 8).tick(92).lift(93, "idle", 8)
    alarms = [(event.data.on, event.when.mono) for event in shift.events if getattr(event.data, "code", "") == "lift_fault"]
    assert [on for on, _ in alarms] == [True, False]
    assert alarms[0][1] == 81_000


# Without


def test_without_a_receiver_a_lift_has_no_place():
    shift = Shift().lift(19, "idle", 7).lift(20, "raising", 7).lift(23, "dumping", 7).lift(26, "idle", 8)
    assert shift.one_lift.lat is None
    assert "no_fix" in shift.one_lift.flags


def test_a_fix_a_minute_away_is_no_place_for_a_lift():
    shift = Shift().fix(1).lift(99, "idle", 7).lift(100, "raising", 7).lift(103, "dumping", 7).lift(106, "idle", 8)
    assert "no_fix" in shift.one_lift.flags


def test_without_a_lift_controller_bins_and_loads_are_still_recorded():
    shift = Shift().fix(1).tag(2)
    for n in range(40):
        shift.weigh(3 + n / 10, 0.0).weigh(10 + n / 10, 0.0)
    for n in range(60):
        shift.weigh(20 + n / 10, 130.0)
    shift.tick(30)
    assert shift.of(Lift) == []
    assert [seen.tag for seen in shift.of(BinSeen)] == [TAG]
    assert [weight.kg for weight in shift.of(Weight)] == [0.0, 130.0]


def test_loads_during_a_lift_are_evidence_and_not_records_of_their_own():
    assert [weight.kg for weight in cycle(Shift()).of(Weight)] == []
