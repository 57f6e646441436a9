"""The figures of a load are what was seen, no better and no worse."""

from xml.etree import ElementTree

import pytest
from asty_appliance.bench.figures import NEVER, Observed, Rung, Sent, alarms_heard, alarms_shown, cpu_share, stored, stretches
from asty_appliance.bench.fleet import Tick
from asty_appliance.bench.latency import Latencies
from asty_appliance.bench.plot import Curve, Panel, Phase, svg
from asty_appliance.bench.watch import Heard, Seen, Used
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=300))
def test_a_percentile_is_a_latency_that_occurred_and_enough_others_do_not_exceed_it(values: list[int]) -> None:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    for q in (0.5, 0.99, 1.0):
        found = latencies.percentile(q)
        assert found in values
        assert sum(value <= found for value in values) >= q * len(values)
        assert sum(value < found for value in values) < q * len(values)
    assert latencies.summary().worst == max(values)


def test_nothing_measured_is_said_as_nothing_and_never_as_zero() -> None:
    assert Latencies().summary().p50 is None
    assert Latencies().summary().worst is None


def test_each_reading_waits_for_the_commit_that_holds_it_the_first_of_a_pack_longest() -> None:
    sent = [Sent("a", 1, 3, 1000, 2000), Sent("a", 4, 6, 2500, 3000), Sent("b", 1, 1, 1000, 1000)]
    seen = [Seen(2300, "a", 3), Seen(2400, "a", 3), Seen(9000, "a", 6)]
    rows = stored(sent, seen)
    assert [row.ms for row in rows] == [1300, 800, 300, 6500, 6250, 6000, NEVER]


def test_a_commit_that_holds_half_a_pack_does_not_count_for_it() -> None:
    assert [row.ms for row in stored([Sent("a", 1, 2, 100, 100)], [Seen(150, "a", 1), Seen(400, "a", 2)])] == [300, 300]


def test_an_alarm_is_heard_with_the_first_event_that_names_its_edge() -> None:
    heard = [Heard(900, frozenset({"a"})), Heard(1200, frozenset({"b"})), Heard(1700, frozenset({"a", "b"}))]
    assert [it.ms for it in alarms_heard([Rung("a", 0, 1, 1000)], heard, [])] == [700]


def test_an_event_that_names_nobody_counts_only_for_alarms_that_were_stored_before_it() -> None:
    heard = [Heard(1100, frozenset()), Heard(1900, frozenset())]
    assert [it.ms for it in alarms_heard([Rung("a", 0, 1, 1000)], heard, [Seen(1500, "a", 1)])] == [900]
    assert [it.ms for it in alarms_heard([Rung("a", 0, 1, 1000)], heard, [])] == [NEVER]


def test_what_never_arrived_is_counted_as_unseen_and_spoils_no_percentile() -> None:
    phase = Phase("sustained", 1.0, 10.0)
    observed = Observed(
        phases=[phase],
        sent=[Sent("a", 1, 2, 2000, 2000), Sent("a", 3, 3, 3000, 3000), Sent("a", 4, 4, 11_000, 11_000)],
        rung=[Rung("c", 0, 1, 2000), Rung("c", 1, 2, 4000)],
        seen=[Seen(2100, "a", 2)],
        heard=[Heard(2300, frozenset({"c"}))],
        shown={0: 2500},
        used=[],
        ticks=[Tick(1.0, 3, 4, 0, 0)],
        handed={("c", 1): 2010},
        received={("c", 1): 2040},
        noticed=[Heard(2030, frozenset({"c"})), Heard(2140, frozenset({"c"})), Heard(2200, frozenset({"c"}))],
    )
    [stretch] = stretches(observed)
    assert (stretch.readings, stretch.unseen) == (3, 3)
    assert (stretch.sensor_to_row.n, stretch.sensor_to_row.worst) == (2, 100)
    assert (stretch.alarm_to_event.n, stretch.alarm_to_event.p99) == (1, 300)
    assert stretch.alarm_to_page.p50 == 500
    assert {name: leg.worst for name, leg in stretch.legs.items()} == {
        "read to sent": 10,
        "sent to received": 30,
        "received to stored": 100,
        "stored to event": 160,
        "event to page": 200,
    }
    assert all(leg.n == 1 for leg in stretch.legs.values()), "of the alarm that never arrived no leg is counted"
    assert [it.ms for it in alarms_shown(observed.rung, observed.shown)] == [500, NEVER]


def test_a_process_that_was_started_again_does_not_use_negative_time() -> None:
    used = [Used(0, "mqtt", 5.0, 1), Used(1, "mqtt", 5.5, 1), Used(2, "mqtt", 0.2, 1), Used(10, "mqtt", 8.2, 1), Used(11, "mqtt", 99, 1)]
    assert cpu_share(used, Phase("storm", 0, 10)) == {"mqtt": 87.0}


def test_a_process_that_was_sampled_once_has_no_share_rather_than_none_at_all() -> None:
    assert cpu_share([Used(1, "mqtt", 5.0, 1)], Phase("drain", 0, 2)) == {}


def test_a_plot_is_well_formed_whatever_a_name_holds_and_draws_every_curve() -> None:
    panel = Panel('rows & "more" < 1', [Curve("p50 & <b>", [(0.0, 0.0), (5.0, 3.0)]), Curve("none", [])])
    text = svg("Title <&>", 'sub "title"', [panel], [Phase("a&b", 0.0, 5.0), Phase("c", 5.0, 9.0)])
    root = ElementTree.fromstring(text)
    assert len(root.findall(".//{*}polyline")) == 2
    assert "p50 & <b>" in {it.text for it in root.findall(".//{*}text")}


@pytest.mark.parametrize("highest", [0.0, 0.004, 0.7, 3.0, 99.0, 18_000.0, 1_234_567.0])
def test_no_point_lies_above_its_panel(highest: float) -> None:
    root = ElementTree.fromstring(svg("t", "s", [Panel("p", [Curve("c", [(0.0, 0.0), (1.0, highest)])])], [Phase("a", 0.0, 1.0)]))
    [rect] = [it for it in root.findall(".//{*}rect") if it.get("y") is not None]
    top, bottom = float(rect.get("y", "")), float(rect.get("y", "")) + float(rect.get("height", ""))
    [line] = root.findall(".//{*}polyline")
    heights = [float(point.split(",")[1]) for point in line.get("points", "").split()]
    assert all(top - 0.1 <= y <= bottom + 0.1 for y in heights)
    assert len(root.findall(".//{*}line")) < 12
