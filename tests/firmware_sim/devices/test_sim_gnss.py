import re
from datetime import UTC, datetime

import pytest
from asty_firmware_sim.devices.gnss import Receiver, gga, gsa, rmc, sentence
from hypothesis import given
from hypothesis import strategies as st

MOMENT = int(datetime(2026, 11, 22, 8, 15, 30, 120_000, UTC).timestamp() * 1000)


def fields_of(line: bytes) -> list[str]:
    """Split one sentence, checking what any NMEA reader checks."""
    body, check = re.fullmatch(rb"\$([^*\r\n]+)\*([0-9A-F]{2})\r\n", line).groups()
    total = 0
    for byte in body:
        total ^= byte
    assert total == int(check, 16)
    assert len(line) <= 82, "NMEA 0183 limits a sentence to 82 characters"
    return body.decode().split(",")


@pytest.mark.parametrize(
    "line",
    [
        b"$GNRMC,081530.00,A,4046.1200,N,02223.4500,E,12.4,084.4,221126,,,A*71\r\n",
        b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n",
    ],
)
def test_the_check_is_the_one_of_published_sentences(line):
    assert sentence(line[1:].partition(b"*")[0].decode()) == line


def test_a_fix_says_when_where_and_how_fast():
    assert fields_of(rmc(MOMENT, 40.768666667, -22.390833333, 10.0, 444.4)) == [
        "GNRMC", "081530.12", "A", "4046.12000", "N", "02223.45000", "W", "19.44", "84.4", "221126", "", "", "A",
    ]  # fmt: skip
    assert fields_of(gga(MOMENT, -40.768666667, 22.390833333, 12.34, 7, 1.25)) == [
        "GNGGA", "081530.12", "4046.12000", "S", "02223.45000", "E", "1", "07", "1.2", "12.3", "M", "36.0", "M", "", "",
    ]  # fmt: skip
    assert fields_of(gsa(3, 1.0)) == ["GNGSA", "A", "3", "01", "02", "03", *[""] * 9, "1.8", "1.0", "1.5"]


@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 30))
def test_every_place_is_told_to_two_centimetres_and_no_minute_reads_60(lat, lon, sats):
    fields = fields_of(gga(MOMENT, lat, lon, 0.0, sats, 1.0))
    for told, true, digits in ((fields[2:4], lat, 2), (fields[4:6], lon, 3)):
        degrees, minutes = int(told[0][:digits]), float(told[0][digits:])
        assert minutes < 60
        sign = -1 if told[1] in "SW" else 1
        assert sign * (degrees + minutes / 60) == pytest.approx(true, abs=1.7e-7)
    assert len(fields_of(gsa(sats, 1.0))) == 18


async def test_a_receiver_speaks_and_says_when_it_has_no_fix(tmp_path, opened):
    receiver = Receiver(tmp_path / "gnss")
    await receiver.start()
    line = opened(receiver.link)
    receiver.fix(MOMENT, 39.36, 22.95, 3.0, 90.0)
    assert [fields_of(line.readline())[0] for _ in range(3)] == ["GNGGA", "GNRMC", "GNGSA"]
    receiver.no_fix(MOMENT + 1000)
    quality, status, dimensions = (fields_of(line.readline()) for _ in range(3))
    assert quality[:7] == ["GNGGA", "081531.12", "", "", "", "", "0"]
    assert (status[:3], status[9], status[12]) == (["GNRMC", "081531.12", "V"], "221126", "N")
    assert dimensions[:3] == ["GNGSA", "A", "1"]
    await receiver.stop()
