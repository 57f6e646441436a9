from functools import reduce
from operator import xor

import pytest
from asty_firmware_sim.devices.rfid import Em4100, Tiris, Wl134, em4100_frame, tiris_frame, wl134_frame
from hypothesis import given
from hypothesis import strategies as st

PUBLISHED_TAG = 1234567890 | 999 << 38
"""The example of the WL-134's manual: id 1234567890 of country 999."""


def test_a_wl134_frame_is_the_one_of_its_manual():
    assert wl134_frame(PUBLISHED_TAG) == b"\x022D206994007E30000000000000\x07\xf8\x03"


@pytest.mark.parametrize(
    ("bit", "place", "digit"),
    [(0, 1, b"1"), (37, 10, b"2"), (38, 11, b"1"), (47, 13, b"2"), (48, 15, b"1"), (63, 16, b"1"), (49, 17, b"1"), (62, 20, b"2")],
)
def test_each_field_of_iso_11784_has_its_place_in_a_wl134_frame(bit, place, digit):
    fields = bytearray(b"0" * 26)
    fields[place - 1 : place] = digit
    assert wl134_frame(1 << bit)[1:27] == bytes(fields)


@given(st.integers(0, (1 << 64) - 1))
def test_every_wl134_frame_has_30_bytes_and_a_true_check(raw):
    frame = wl134_frame(raw)
    assert len(frame) == 30
    assert (frame[0], frame[29]) == (0x02, 0x03)
    assert frame[27] == reduce(xor, frame[1:27])
    assert frame[27] ^ frame[28] == 0xFF


def test_an_em4100_frame_has_the_xor_of_its_bytes():
    assert em4100_frame("06001259E3", "rdm6300") == b"\x0206001259E3AE\x03"
    assert em4100_frame("06001259e3", "id12") == b"\x0206001259E3AE\r\n\x03"


@pytest.mark.parametrize("tag", ["", "06001259", "06001259E3AE", "06 00 12 59 E3", "not a tag!"])
def test_what_is_no_em4100_tag_is_refused(tag):
    with pytest.raises(ValueError, match=r"hex"):
        em4100_frame(tag, "rdm6300")


def test_a_tiris_line_names_country_and_number_in_decimal():
    assert tiris_frame(123456789 | 982 << 38) == b"LA 982 000123456789\r\n"


async def test_readers_repeat_a_tag_that_lies_in_the_field(tmp_path, opened):
    for reader, tag, frame in (
        (Wl134(tmp_path / "wl134"), PUBLISHED_TAG, wl134_frame(PUBLISHED_TAG)),
        (Tiris(tmp_path / "tiris"), PUBLISHED_TAG, tiris_frame(PUBLISHED_TAG)),
        (Em4100(tmp_path / "rdm6300"), "06001259E3", em4100_frame("06001259E3", "rdm6300")),
        (Em4100(tmp_path / "id12", dialect="id12"), "06001259E3", em4100_frame("06001259E3", "id12")),
    ):
        await reader.start()
        line = opened(reader.link)
        reader.read(tag)
        assert line.read(3 * len(frame)) == 3 * frame
        reader.read(tag, repeat=1)
        assert line.read(len(frame)) == frame
        assert line.in_waiting == 0
        await reader.stop()
