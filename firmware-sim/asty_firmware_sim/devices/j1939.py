"""What the engine of a truck broadcasts: SAE J1939-71 parameter groups as the FMS interface passes them on. Little-endian."""

from dataclasses import dataclass

Frame = tuple[int, bytes]
"""29-bit identifier and 8 bytes."""

EEC1 = 0x0CF00400
HOURS = 0x18FEE500
LFC = 0x18FEE900
CCVS = 0x18FEF100
LFE = 0x18FEF200
HRLFC = 0x18FD0900
DD1 = 0x18FEFC17  # from the instrument cluster
VDHR = 0x18FEC1EE  # from the tachograph


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the bus knows; None is "not available"."""

    level: float | None = None  # %
    second: float | None = None  # %, second tank
    rate: float | None = None  # l/h
    total: float | None = None  # l since new
    trip: float | None = None  # l
    rpm: float | None = None  # 1/min
    v: float | None = None  # m/s, wheel speed
    dist: float | None = None  # m since new
    hours: float | None = None  # h since new


def frames(state: EngineState) -> list[Frame]:
    """Encode one round of the eight groups. Bytes that no parameter uses are 0xFF, and so is what isn't available."""
    kmh = None if state.v is None else state.v * 3.6
    return [
        (DD1, _place({1: _number(state.level, 0.4, 1), 6: _number(state.second, 0.4, 1)})),
        (LFE, _place({0: _number(state.rate, 0.05, 2), 2: _number(_economy(kmh, state.rate), 1 / 512, 2)})),
        (LFC, _place({0: _number(state.trip, 0.5, 4), 4: _number(state.total, 0.5, 4)})),
        (HRLFC, _place({0: _number(state.trip, 0.001, 4), 4: _number(state.total, 0.001, 4)})),
        (CCVS, _place({1: _number(kmh, 1 / 256, 2)})),
        (VDHR, _place({0: _number(state.dist, 5.0, 4)})),
        (EEC1, _place({3: _number(state.rpm, 0.125, 2)})),
        (HOURS, _place({0: _number(state.hours, 0.05, 4)})),
    ]


def _economy(kmh: float | None, rate: float | None) -> float | None:
    """Return km/l; a truck that burns nothing has none."""
    return None if kmh is None or not rate else kmh / rate


def _number(value: float | None, scale: float, size: int) -> bytes:
    """Encode within the valid range, whose highest byte ends at 0xFA: above it are codes such as error, 0xFE, and not available, 0xFF."""
    if value is None:
        return b"\xff" * size
    highest = 0xFA << 8 * (size - 1) | (1 << 8 * (size - 1)) - 1
    return min(max(round(value / scale), 0), highest).to_bytes(size, "little")


def _place(numbers: dict[int, bytes]) -> bytes:
    data = bytearray(b"\xff" * 8)
    for at, number in numbers.items():
        data[at : at + len(number)] = number
    return bytes(data)
