"""What every codec of a byte stream promises, whatever arrives on the line."""

from collections.abc import Callable
from typing import Any

import pytest
from asty_edge.device import Counters
from asty_edge.drivers.framing import Bad, Deframer
from asty_edge.drivers.nmea import codec as nmea
from asty_edge.drivers.rfid_em4100 import codec as em4100
from asty_edge.drivers.rfid_fdxb import codec as fdxb
from asty_edge.drivers.scale import codec as scale
from hypothesis import given, settings
from hypothesis import strategies as st

STREAMS: dict[tuple[str, str | None], tuple[Callable[[bytes], Any], int]] = {
    ("rfid_fdxb", "wl134"): (fdxb.decode_wl134, fdxb.WL134_BYTES),
    ("rfid_fdxb", "tiris"): (fdxb.decode_tiris, fdxb.TIRIS_LIMIT),
    ("rfid_em4100", None): (em4100.decode, em4100.ID12_BYTES),
    ("scale", "st_gs"): (scale.decode_st_gs, scale.LINE_LIMIT),
    ("scale", "toledo"): (scale.decode_toledo, scale.TOLEDO_BYTES),
    ("scale", "mt_sics"): (scale.decode_mt_sics, scale.LINE_LIMIT),
    ("nmea", None): (nmea.decode, nmea.LINE_LIMIT),
}
CHECKED = [("rfid_fdxb", "wl134"), ("rfid_em4100", None), ("scale", "toledo"), ("nmea", None)]


def name(stream: tuple[str, str | None]) -> str:
    return "-".join(filter(None, stream))


every_stream = pytest.mark.parametrize("stream", STREAMS, ids=name)
every_checked_stream = pytest.mark.parametrize("stream", CHECKED, ids=name)


def captured(frames: Callable[[str], list[dict[str, Any]]], stream: tuple[str, str | None]) -> list[bytes]:
    kind, dialect = stream
    found = [frame["bytes"] for frame in frames(kind) if frame["dialect"] == dialect]
    assert found, "no captured frames"
    return found


def decoded(stream: tuple[str, str | None], *chunks: bytes) -> tuple[list[Any], Counters]:
    counters = Counters()
    deframer = Deframer(STREAMS[stream][0], counters)
    return [frame for chunk in chunks for frame in deframer.feed(chunk)], counters


@every_stream
def test_a_captured_frame_says_what_its_source_says(stream, frames):
    for frame in frames(stream[0]):
        if frame["dialect"] != stream[1]:
            continue
        (said,), counters = decoded(stream, frame["bytes"])
        assert {key: getattr(said, key) for key in frame["says"]} == frame["says"], frame["from"]
        assert {key: getattr(said, key) for key in frame["unknown"]} == dict.fromkeys(frame["unknown"]), frame["from"]
        assert (counters.frames, counters.bad) == (1, 0), frame["from"]


@every_stream
@given(data=st.data())
def test_frames_are_found_wherever_the_stream_is_cut(stream, frames, data):
    sent = data.draw(st.lists(st.sampled_from(captured(frames, stream)), min_size=1, max_size=6))
    line = b"".join(sent)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(line) - 1), max_size=12)))
    chunks = [line[a:b] for a, b in zip([0, *cuts], [*cuts, len(line)], strict=True)]
    found, counters = decoded(stream, *chunks)
    assert found == [decoded(stream, frame)[0][0] for frame in sent]
    assert (counters.frames, counters.bad) == (len(sent), 0)


@every_stream
@given(chunks=st.lists(st.binary(max_size=300), max_size=8))
def test_noise_never_raises_and_never_fills_the_memory(stream, chunks):
    decode, limit = STREAMS[stream]
    deframer = Deframer(decode, Counters())
    for chunk in chunks:
        deframer.feed(chunk)
        assert deframer.held < limit


@every_stream
@pytest.mark.parametrize("byte", [b"\x02", b"S", b"$", b"\xff", b" ", b"0", b"\r"])
def test_a_line_without_any_end_never_fills_the_memory(stream, byte):
    decode, limit = STREAMS[stream]
    counters = Counters()
    deframer = Deframer(decode, counters)
    for _ in range(20):
        assert deframer.feed(byte * 1000) == []
        assert deframer.held < limit
    if byte != b"\r":  # line ends alone are no noise
        assert counters.bad > 0
        assert counters.last_bad


@every_checked_stream
@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_byte_never_gives_a_wrong_reading(stream, frames, data):
    good = captured(frames, stream)
    first, damaged, last = (data.draw(st.sampled_from(good)) for _ in range(3))
    place = data.draw(st.integers(0, len(damaged) - 1))
    byte = data.draw((st.sampled_from(b"0123456789ABCDEF") | st.integers(0, 255)).filter(lambda value: value != damaged[place]))
    broken = damaged[:place] + bytes([byte]) + damaged[place + 1 :]
    found, counters = decoded(stream, first, broken, last, last)
    true = [decoded(stream, frame)[0][0] for frame in (first, damaged, last)]
    assert all(frame in true for frame in found)
    assert found[0] == true[0]
    assert found[-1] == true[-1]
    assert counters.bad >= 1 or len(found) == 4


@every_checked_stream
@given(data=st.data())
def test_a_lost_byte_never_gives_a_wrong_reading(stream, frames, data):
    good = captured(frames, stream)
    damaged, last = data.draw(st.sampled_from(good)), data.draw(st.sampled_from(good))
    place = data.draw(st.integers(0, len(damaged) - 1))
    found, _ = decoded(stream, damaged[:place] + damaged[place + 1 :], last, last)
    true = [decoded(stream, frame)[0][0] for frame in (damaged, last)]
    assert all(frame in true for frame in found)
    assert found[-1] == true[-1]


@every_stream
@given(noise=st.binary(max_size=80), data=st.data())
def test_after_noise_the_next_whole_frame_is_read(stream, frames, noise, data):
    frame = data.draw(st.sampled_from(captured(frames, stream)))
    found, _ = decoded(stream, noise + b"\r\n", frame, frame)
    assert found[-1:] == decoded(stream, frame)[0]


@every_stream
@given(noise=st.binary(min_size=1, max_size=80).filter(lambda noise: not noise.startswith(b"S ")))  # `S +` is an MT-SICS answer
def test_noise_alone_gives_no_reading_and_is_counted(stream, noise):
    found, counters = decoded(stream, noise + b"\r\n" * 40)
    assert found == []
    if noise.strip(b"\r\n\0"):
        assert counters.bad >= 1


@pytest.mark.parametrize(
    ("stream", "line"),
    [
        (("rfid_fdxb", "tiris"), b"LA 982 00012345678\r\n"),
        (("rfid_fdxb", "tiris"), b"LA 98 2000123456789\r\n"),
        (("rfid_fdxb", "tiris"), b"LR 982 000123456789\r\n"),
        (("rfid_fdxb", "tiris"), b"LA 982 000123456789 \r\n"),
        (("rfid_fdxb", "tiris"), b"LA 982 999999999999\r\n"),
        (("rfid_fdxb", "tiris"), b"LA 982 000000000000\r\n"),
        (("scale", "st_gs"), b"ST,GS,+  12,50kg\r\n"),
        (("scale", "st_gs"), b"ST,GS,+  12.50g\r\n"),
        (("scale", "st_gs"), b"ST,GS,+  1 2.50kg\r\n"),
        (("scale", "st_gs"), b"T,GS,+  12.50kg\r\n"),
        (("scale", "st_gs"), b"ST,GS,+  12.50kgST,GS,+  12.50kg\r\n"),
        (("scale", "st_gs"), b"ST,GS,+  kg\r\n"),
        (("scale", "mt_sics"), b"S S     1O0.00 kg\r\n"),
        (("scale", "mt_sics"), b"S S     100.00 g\r\n"),
        (("scale", "mt_sics"), b"S S     100.00\r\n"),
        (("scale", "mt_sics"), b"ES\r\n"),
        (("nmea", None), b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,\r\n"),
    ],
)
def test_formats_are_strict_in_their_shape(stream, line):
    found, counters = decoded(stream, line)
    assert found == []
    assert counters.bad == 1


@pytest.mark.parametrize(
    ("stream", "frame"),
    [
        (("rfid_fdxb", "wl134"), "02 33443230363939343030 37453330 30 30 30303030 303030303030 07 f8 03"),  # a digit of the id
        (("rfid_fdxb", "wl134"), "02 32443230363939343030 37453330 30 30 30303030 303030303030 06 f8 03"),  # the checksum
        (("rfid_fdxb", "wl134"), "02 32443230363939343030 37453330 30 30 30303030 303030303030 07 f9 03"),  # its complement
        (("rfid_em4100", None), "02 30363030313235394534 4145 03"),
        (("rfid_em4100", None), "02 30363030313235394533 4146 0d0a 03"),
        (("rfid_em4100", None), "02 30303030303030303030 3030 03"),  # zeros have a sound checksum
        (("scale", "toledo"), "02 2b 30 20 202031313836 303030303030 0d 47"),
        (("scale", "toledo"), "02 2b 30 a0 202031313835 303030303030 0d 47"),  # an eighth bit, which the checksum does not cover
        (("scale", "toledo"), "02 2b 30 21 202031313835 303030303030 0d 46"),  # grams
        (("nmea", None), "24 47505a44412c 2a3438 0d0a"),
    ],
)
def test_a_frame_whose_check_fails_is_refused(stream, frame):
    found, counters = decoded(stream, bytes.fromhex(frame))
    assert found == []
    assert counters.bad >= 1


def test_noise_before_a_sentence_is_counted_and_the_sentence_read():
    found, counters = decoded(("nmea", None), b"\xb5b$GPGSA,A$GPRMC,081530.00,V,,,,,,,221126,,,N*76\r\n")
    assert (len(found), counters.bad) == (1, 1)


def test_wl134_refuses_more_bits_than_iso_11784_has():
    too_far = bytes.fromhex("02 46464646464646464646 37453330 30 30 30303030 303030303030")
    check = 0
    for byte in too_far[1:]:
        check ^= byte
    (found, counters) = decoded(("rfid_fdxb", "wl134"), too_far + bytes([check, check ^ 0xFF, 3]))
    assert found == []
    assert "ISO 11784" in counters.last_bad


def test_why_a_frame_is_bad_stays_short_enough_for_a_log():
    _, found = scale.decode_st_gs(b"x" * 200)
    assert isinstance(found, Bad)
    assert len(found.why) < 200
