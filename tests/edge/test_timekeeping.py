from datetime import UTC, datetime

import pytest
from asty_edge import systemclock
from asty_edge.clock import mono_ms
from asty_edge.reading import Fix
from asty_edge.timekeeping import BUILT_UTC, HOLDOVER_MS, SystemTime, Timekeeper

NOW = 1_795_000_000_000


def keeper(utc=NOW, synchronised=True, mono=0):
    return Timekeeper(SystemTime(mono, utc, synchronised))


def fix(at, utc, valid=True):
    return Fix("gps", at, valid, utc)


@pytest.mark.parametrize(
    ("utc", "synchronised", "quality"),
    [(NOW, True, "ntp"), (NOW, False, "rtc"), (BUILT_UTC - 1, False, "none"), (0, False, "none")],
    ids=["synchronised", "set but not synchronised", "before the software was built", "reset to 1970"],
)
def test_without_satellites_the_system_clock_says_how_good_it_is(utc, synchronised, quality):
    assert keeper(utc, synchronised).moment(500) == (type(keeper().moment(0)))(500, utc + 500, quality)


def test_a_fix_is_the_best_time():
    time = keeper()
    time.read_fix(fix(1000, NOW - 99_000_000))
    moment = time.moment(1250)
    assert (moment.utc, moment.tq) == (NOW - 99_000_000 + 250, "gnss")


def test_without_a_fix_or_without_a_date_nothing_changes():
    time = keeper()
    time.read_fix(fix(1000, 5, valid=False))
    time.read_fix(fix(1000, None))
    assert time.moment(1000).tq == "ntp"
    assert not time.knows_gnss


def test_between_fixes_and_after_the_last_one_time_runs_on():
    time = keeper()
    time.read_fix(fix(1000, NOW))
    assert time.moment(1000 + HOLDOVER_MS) == (type(time.moment(0)))(1000 + HOLDOVER_MS, NOW + HOLDOVER_MS, "gnss")


def test_after_the_holdover_a_synchronised_system_clock_takes_over_and_another_does_not():
    late = 1000 + HOLDOVER_MS + 1
    for synchronised, expected in [(True, ("ntp", late + NOW)), (False, ("rtc", NOW + 7 + late - 1000))]:
        time = keeper(NOW, synchronised)
        time.read_fix(fix(1000, NOW + 7))
        moment = time.moment(late)
        assert (moment.tq, moment.utc) == expected


def test_a_town_whose_time_runs_faster_is_followed_from_fix_to_fix():
    time = keeper()
    for second in range(10):
        time.read_fix(fix(second * 1000, NOW + second * 20_000))
        assert time.moment(second * 1000).utc == NOW + second * 20_000
        assert time.moment(second * 1000 + 999).utc == NOW + second * 20_000 + 999


def test_what_was_told_stays_told():
    time = keeper()
    before = time.moment(1000)
    time.read_fix(fix(1000, NOW + 3_600_000))
    assert before.utc == NOW + 1000
    assert time.moment(1000).utc != before.utc


def test_the_system_clock_is_read_anew():
    time = keeper(utc=0, synchronised=False)
    time.read_system(SystemTime(60_000, NOW, synchronised=True))
    assert time.moment(61_000).utc == NOW + 1000


def test_the_real_system_clock_is_the_machine_s():
    seen = systemclock.read()
    assert abs(seen.utc - datetime.now(UTC).timestamp() * 1000) < 60_000
    assert abs(seen.mono - mono_ms()) < 60_000
