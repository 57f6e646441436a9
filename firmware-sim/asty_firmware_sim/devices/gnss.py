"""A GNSS receiver on a serial line, NMEA 0183."""

from datetime import UTC, datetime
from functools import reduce
from operator import xor

from asty_firmware_sim.devices.serial_port import SerialPort

KNOT = 1852 / 3600
"""m/s."""
GEOID_M = 36.0
"""Height of the geoid above the ellipsoid in the Aegean, which GGA reports beside the altitude."""
CHANNELS = 12
"""How many satellites a GSA sentence can name."""


def sentence(body: str) -> bytes:
    """Frame a sentence: `$`, body, `*` and the XOR of the body in hex."""
    return f"${body}*{reduce(xor, body.encode()):02X}\r\n".encode()


def rmc(utc_ms: int, lat: float, lon: float, v: float, course: float) -> bytes:
    """Encode an RMC with a valid fix: degrees, speed in m/s, course in degrees from true north."""
    clock, day = _clock(utc_ms)
    return sentence(f"GNRMC,{clock},A,{_place(lat, lon)},{v / KNOT:.2f},{course % 360:.1f},{day},,,A")


def gga(utc_ms: int, lat: float, lon: float, alt: float, sats: int, hdop: float) -> bytes:
    """Encode a GGA with a GPS fix: degrees, altitude in m above the sea."""
    clock, _ = _clock(utc_ms)
    return sentence(f"GNGGA,{clock},{_place(lat, lon)},1,{sats:02d},{hdop:.1f},{alt:.1f},M,{GEOID_M:.1f},M,,")


def gsa(sats: int, hdop: float) -> bytes:
    """Encode a GSA of a fix in three dimensions."""
    used = [f"{number:02d}" for number in range(1, min(sats, CHANNELS) + 1)]
    named = ",".join(used + [""] * (CHANNELS - len(used)))
    return sentence(f"GNGSA,A,3,{named},{hdop * 1.8:.1f},{hdop:.1f},{hdop * 1.5:.1f}")


class Receiver(SerialPort):
    """A receiver, 9600 8N1, that speaks once per call."""

    def fix(
        self, utc_ms: int, lat: float, lon: float, v: float, course: float, *, alt: float = 10.0, sats: int = 9, hdop: float = 0.9
    ) -> None:
        """Say where and when: degrees, m/s, degrees from true north, m above the sea."""
        self.write(gga(utc_ms, lat, lon, alt, sats, hdop) + rmc(utc_ms, lat, lon, v, course) + gsa(sats, hdop))

    def no_fix(self, utc_ms: int) -> None:
        """Say that there is no fix; the receiver's own clock goes on."""
        clock, day = _clock(utc_ms)
        self.write(
            sentence(f"GNGGA,{clock},,,,,0,00,99.9,,M,,M,,")
            + sentence(f"GNRMC,{clock},V,,,,,,,{day},,,N")
            + sentence("GNGSA,A,1,,,,,,,,,,,,,99.9,99.9,99.9")
        )


def _clock(utc_ms: int) -> tuple[str, str]:
    at = datetime.fromtimestamp(utc_ms // 1000, UTC)
    return f"{at:%H%M%S}.{utc_ms % 1000 // 10:02d}", f"{at:%d%m%y}"


def _place(lat: float, lon: float) -> str:
    return f"{_degrees(lat, 2)},{'N' if lat >= 0 else 'S'},{_degrees(lon, 3)},{'E' if lon >= 0 else 'W'}"


def _degrees(value: float, digits: int) -> str:
    """Write degrees as NMEA does, `ddmm.mmmmm`; rounded as a whole, so that no minute reads 60."""
    degrees, minutes = divmod(round(abs(value) * 6_000_000), 6_000_000)
    return f"{degrees:0{digits}d}{minutes // 100_000:02d}.{minutes % 100_000:05d}"
