"""What frames mean: the pure parts between codecs and readings."""

import pytest
from asty_edge.drivers.framing import Bad
from asty_edge.drivers.nmea.codec import Gga, Other, Rmc, decode
from asty_edge.drivers.nmea.epoch import Epoch
from asty_edge.drivers.registers import s16, u32
from asty_edge.drivers.repeats import Repeats
from asty_edge.drivers.scale.codec import Weight
from asty_edge.drivers.scale.device import interpreter
from asty_edge.drivers.scale.width import SteadyWidth
from asty_edge.drivers.tank import litres
from asty_edge.reading import Fix, Weighing
from hypothesis import given
from hypothesis import strategies as st


def sentence(body: str) -> bytes:
    check = 0
    for byte in body.encode():
        check ^= byte
    return f"${body}*{check:02X}\r\n".encode()


def gga(clock: str, quality: str | None = "gps") -> Gga:
    return Gga(clock, quality, *((40.5, 22.5) if quality else (None, None)), sats=8, hdop=0.9, alt=30.0)


def rmc(clock: str, quality: str | None = "gps", utc: int | None = 1_795_335_330_000) -> Rmc:
    return Rmc(clock, quality, utc if quality else None, *((40.5, 22.5) if quality else (None, None)), v=6.4, course=84.4)


def fixes(*sentences):
    epoch = Epoch("gnss")
    return [fix for at, said in enumerate(sentences) for fix in epoch.take(at, said)]


class TestEpoch:
    @pytest.mark.parametrize("order", [(gga("1"), rmc("1")), (rmc("1"), Other("GPVTG"), gga("1"))])
    def test_gga_and_rmc_of_one_time_are_one_fix(self, order):
        (fix,) = fixes(*order)
        assert (fix.valid, fix.utc, fix.lat, fix.v, fix.sats, fix.alt) == (True, 1_795_335_330_000, 40.5, 6.4, 8, 30.0)
        assert fix.at == len(order) - 1

    def test_two_epochs_are_never_mixed(self):
        (first, second) = fixes(gga("1"), rmc("2"), gga("2"))
        assert (first.utc, first.sats) == (None, 8)
        assert (second.utc, second.sats) == (1_795_335_330_000, 8)

    def test_a_receiver_with_only_rmc_tells_its_fix_an_epoch_later(self):
        (first, second) = fixes(rmc("1"), rmc("2"), rmc("3"))
        assert [first.at, second.at] == [0, 1]
        assert first.valid
        assert first.sats is None

    @pytest.mark.parametrize("pair", [(gga("1", None), rmc("1")), (gga("1"), rmc("1", None)), (gga("", None), rmc("", None))])
    def test_what_one_sentence_calls_no_fix_is_no_fix(self, pair):
        (fix,) = fixes(*pair)
        assert fix == Fix("gnss", 1, valid=False, sats=8)

    @given(st.lists(st.sampled_from([gga("1"), rmc("1"), gga("2"), rmc("2"), gga("", None), rmc("", None), Other("GPGSV")])))
    def test_no_sentence_is_told_twice(self, said):
        told = fixes(*said)
        assert len(told) <= sum(not isinstance(sentence, Other) for sentence in said)
        assert all(fix.valid or fix.utc is None for fix in told)


@pytest.mark.parametrize(
    ("body", "utc"),
    [
        ("GPRMC,081530.00,A,3921.6,N,02257.0,E,0,,221126,,,A", 1_795_335_330_000),
        ("GPRMC,081530.00,A,3921.6,N,02257.0,E,0,,080407,,,A", 1_795_335_330_000),
        ("GPRMC,081530.00,A,3921.6,N,02257.0,E,0,,230887,,,A", 1_795_335_330_000),
        ("GPRMC,081530.25,A,3921.6,N,02257.0,E,0,,221126,,,A", 1_795_335_330_250),
        ("GPRMC,235960.00,A,3921.6,N,02257.0,E,0,,221126,,,A", 1_795_392_000_000),
        ("GPRMC,081530.00,A,3921.6,N,02257.0,E,0,,,,,A", None),
        ("GPRMC,081530.00,A,3921.6,N,02257.0,E,0,,221126,,,N", None),
        ("GPRMC,081530.00,V,3921.6,N,02257.0,E,0,,221126,,,A", None),
    ],
)
def test_the_date_of_a_receiver_that_counts_its_weeks_over_is_mended(body, utc):
    assert decode(sentence(body))[1].utc == utc


@pytest.mark.parametrize(
    "body",
    [
        "GPRMC,081530.00,A,3960.0,N,02257.0,E,0,,221126,,,A",
        "GPRMC,081530.00,A,9121.6,N,02257.0,E,0,,221126,,,A",
        "GPRMC,081530.00,A,3921.6,N,18157.0,E,0,,221126,,,A",
        "GPRMC,081530.00,A,3921.6,Q,02257.0,E,0,,221126,,,A",
        "GPRMC,081530.00,A,3921.6,,02257.0,E,0,,221126,,,A",
        "GPRMC,081530.00,A,,,,,0,,221126,,,A",
        "GPRMC,250000.00,A,3921.6,N,02257.0,E,0,,221126,,,A",
        "GPRMC,081530.00,A,3921.6,N,02257.0,E,0,,310226,,,A",
        "GPRMC,081530.00,A,3921.6,N,02257.0,E,-5,,221126,,,A",
        "GPRMC,081530.00,A,3921.6,N,02257.0,E,1e9,,221126,,,A",
        "GPRMC,081530.00,A,3921.6,N,02257.0,E,nan,,221126,,,A",
        "GPRMC,081530.00,A,3921.6,N,02257.0,E,0,400,221126,,,A",
        "GPRMC,081530.00,X,3921.6,N,02257.0,E,0,,221126,,,A",
        "GPRMC,081530.00,A",
        "GPRMC",
        "GPGGA,123519,4807.038,N,01131.000,E,1,-8,0.9,545.4,M,46.9,M,,",
    ],
)
def test_a_sentence_with_a_sound_checksum_that_can_not_be_true_is_bad(body):
    assert isinstance(decode(sentence(body))[1], Bad)


@given(st.text(alphabet="GPRMCA0123456789.,NESWV-", max_size=80))
def test_no_sentence_raises(fields):
    for kind in ("GPRMC,", "GNGGA,", "GPGSV,", "PUBX,"):
        decode(sentence(kind + fields))


def test_south_and_west_are_negative():
    said = decode(sentence("GPRMC,081530,A,3330.0000,S,07030.0000,W,0,,221126,,,A"))[1]
    assert (said.lat, said.lon) == (-33.5, -70.5)


class TestRepeats:
    def test_a_tag_is_told_once_in_two_seconds_and_again_when_it_stays(self):
        repeats = Repeats()
        assert [at for at in range(0, 5000, 100) if repeats.is_new("A", at)] == [0, 2000, 4000]

    def test_two_tags_in_the_field_are_both_told(self):
        repeats = Repeats()
        assert [repeats.is_new(tag, at) for at, tag in enumerate("ABABAB")] == [True, True, False, False, False, False]

    def test_tags_that_are_gone_are_forgotten(self):
        repeats = Repeats()
        for number in range(10_000):
            repeats.is_new(str(number), number * 100)
        assert len(repeats._told) <= 20


class TestScale:
    def test_a_line_that_lost_a_digit_is_not_a_weight(self):
        interpret = interpreter("scale")
        said = [Weight(112.5, stable=True, width=16), Weight(12.5, stable=True, width=15), Weight(112.5, stable=True, width=16)]
        kept = [meant for at, weight in enumerate(said) for meant in interpret(at, weight)]
        assert kept[0] == Weighing("scale", 0, 112.5, stable=True)
        assert all(isinstance(meant, Bad) for meant in kept[1:])
        assert list(interpret(3, said[2])) == [Weighing("scale", 3, 112.5, stable=True)]

    def test_an_indicator_whose_lines_grow_is_believed_at_the_second_line(self):
        steady = SteadyWidth()
        judged = [steady.judge(Weight(kg, stable=True, width=width)) for kg, width in ((9.5, 12), (10.0, 13), (10.0, 13))]
        assert [isinstance(one, Bad) for one in judged] == [False, True, False]

    def test_an_overload_does_not_unsettle_the_width(self):
        steady = SteadyWidth()
        said = [Weight(9.5, stable=True, width=12), Weight(None, stable=False), Weight(9.5, stable=True, width=12)]
        assert [steady.judge(weight) for weight in said] == said


class TestRegisters:
    @given(st.integers(0, 0xFFFF_FFFE))
    def test_a_counter_is_the_same_in_either_word_order(self, value):
        high, low = value >> 16, value & 0xFFFF
        assert u32(high, low, "big") == u32(low, high, "little") == value

    def test_two_registers_of_ones_are_not_available_and_one_is(self):
        assert u32(0xFFFF, 0xFFFF, "big") is None
        assert u32(0x0000, 0xFFFF, "big") == 65535

    def test_negative_numbers(self):
        assert [s16(register) for register in (0, 0x7FFF, 0x8000, 0xFFCE)] == [0, 32767, -32768, -50]


def test_litres_need_a_tank_and_a_level():
    assert litres(300, 50) == 150
    assert litres(300, 0) == 0
    assert litres(None, 50) is None
    assert litres(300, None) is None
