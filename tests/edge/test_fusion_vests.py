"""Worn: yes, no and unknown. A silent scanner never reads as "not worn"."""

import pytest
from asty_contracts.records import Ppe
from asty_edge.config import FusionSettings
from asty_edge.event import Moment
from asty_edge.fusion import Fusion
from asty_edge.reading import BeaconHeard, ScannerAlive

VEST = "vest-1"


class Crew:
    def __init__(self, vests=(VEST,)):
        self.fusion = Fusion(FusionSettings(), vests)
        self.said = []

    def _take(self, events):
        self.said += [(event.when.mono // 1000, event.data.vest, event.data.worn) for event in events if isinstance(event.data, Ppe)]

    def alive(self, *times):
        for at in times:
            self._take(self.fusion.feed(ScannerAlive("ble", at * 1000), Moment(at * 1000, at * 1000, "ntp")))
            self._take(self.fusion.tick(Moment(at * 1000, at * 1000, "ntp")))
        return self

    def heard(self, *times, moving=None, authentic=None, vest=VEST):
        for at in times:
            reading = BeaconHeard("ble", at * 1000, vest, -60, 80.0, moving, authentic)
            self._take(self.fusion.feed(reading, Moment(at * 1000, at * 1000, "ntp")))
        return self

    def tick(self, *times):
        for at in times:
            self._take(self.fusion.tick(Moment(at * 1000, at * 1000, "ntp")))
        return self

    @property
    def answer(self):
        return self.said[-1][2]


def test_a_vest_that_is_heard_is_worn():
    assert Crew().alive(0).heard(1).answer == "yes"


def test_before_anybody_could_have_heard_it_a_vest_is_unknown():
    assert Crew().tick(1).answer == "unknown"
    assert Crew().alive(*range(0, 90, 5)).answer == "unknown"


def test_a_vest_not_heard_while_the_scanner_lives_is_not_worn():
    assert Crew().alive(0).heard(1).alive(*range(5, 90, 5)).answer == "yes"
    assert Crew().alive(0).heard(1).alive(*range(5, 100, 5)).answer == "no"


def test_a_vest_never_heard_in_this_session_is_not_worn_and_says_so():
    crew = Crew().alive(*range(0, 100, 5))
    assert crew.answer == "no"


def test_a_silent_scanner_makes_it_unknown_never_no():
    crew = Crew().alive(0).heard(1).tick(*range(2, 400))
    assert {answer for _, _, answer in crew.said} == {"yes", "unknown"}
    assert crew.answer == "unknown"


def test_absence_counts_only_from_when_the_scanner_came_back():
    crew = Crew().alive(0).heard(1).tick(50, 200).alive(*range(300, 385, 5))
    assert crew.answer == "unknown"
    assert crew.alive(*range(385, 400, 5)).answer == "no"


def test_a_vest_on_a_hook_is_not_worn_after_five_minutes():
    crew = Crew().alive(0).heard(*range(0, 299, 3), moving=False)
    assert crew.answer == "yes"
    crew.heard(*range(300, 310, 3), moving=False)
    assert crew.answer == "no"
    assert crew.heard(311, moving=True).answer == "yes"


def test_a_forged_advertisement_is_not_the_vest():
    assert Crew().heard(1, authentic=False).tick(2).answer == "unknown"


def test_an_answer_is_given_on_change_and_each_minute():
    crew = Crew().alive(*range(10)).heard(10).heard(*range(11, 131, 1))
    assert [at for at, _, answer in crew.said if answer == "yes"] == [10, 70, 130]


def test_all_vests_of_the_edge_are_answered_for():
    crew = Crew(("a", "b")).alive(0).heard(1, vest="a").tick(2)
    assert {(vest, answer) for _, vest, answer in crew.said} >= {("a", "yes"), ("b", "unknown")}


def test_a_vest_record_names_no_place():
    assert not {"lat", "lon"} & set(Ppe.__struct_fields__)


@pytest.mark.parametrize(("battery", "kept"), [(None, 80.0), (55.0, 55.0)])
def test_the_battery_last_told_is_kept(battery, kept):
    fusion = Fusion(FusionSettings(), (VEST,))
    fusion.feed(BeaconHeard("ble", 0, VEST, battery=80.0), Moment(0, 0, "ntp"))
    events = fusion.feed(BeaconHeard("ble", 61_000, VEST, battery=battery), Moment(61_000, 61_000, "ntp"))
    assert events[0].data.battery == kept
