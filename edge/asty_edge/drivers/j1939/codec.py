"""J1939 messages. Sans-IO.

A 29-bit identifier holds the PGN (what) and the source address (who); 8 data bytes hold signals, little-endian. Of each signal the
topmost values are no values: 0xFB.. reserved, 0xFE.. error, 0xFF.. not available. Source: SAE J1939-71, FMS-Standard.
"""

from dataclasses import dataclass

from asty_edge.drivers.framing import Bad

BYTES = 8


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal (SPN): where its bytes stand, counted from 0, and what one bit is worth in `unit`."""

    spn: int
    first: int
    length: int
    scale: float


FUEL_LEVEL, SECOND_LEVEL, FUEL_RATE, TOTAL_FUEL, TOTAL_FUEL_FINE = 96, 38, 183, 250, 5054
WHEEL_SPEED, DISTANCE, ENGINE_SPEED, ENGINE_HOURS = 84, 917, 190, 247
"""%, %, l/h, l, l; km/h, m, 1/min, h."""

SIGNALS: dict[int, tuple[Signal, ...]] = {
    65276: (Signal(FUEL_LEVEL, 1, 1, 0.4), Signal(SECOND_LEVEL, 6, 1, 0.4)),
    65266: (Signal(FUEL_RATE, 0, 2, 0.05),),
    65257: (Signal(TOTAL_FUEL, 4, 4, 0.5),),
    64777: (Signal(TOTAL_FUEL_FINE, 4, 4, 0.001),),
    65265: (Signal(WHEEL_SPEED, 1, 2, 1 / 256),),
    65217: (Signal(DISTANCE, 0, 4, 5.0),),
    61444: (Signal(ENGINE_SPEED, 3, 2, 0.125),),
    65253: (Signal(ENGINE_HOURS, 0, 4, 0.05),),
}
"""DD1, LFE, LFC, HRLFC, CCVS, VDHR, EEC1, HOURS by PGN."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one message says: who said it, and per SPN the value, None for an error or not available."""

    pgn: int
    source: int
    values: dict[int, float | None]


def pgn_of(can_id: int) -> int:
    """Return the parameter group number of a 29-bit identifier: below PF 240 the low byte is a destination and not part of it."""
    pgn = can_id >> 8 & 0x3FFFF
    return pgn if pgn >> 8 & 0xFF >= 240 else pgn & 0x3FF00


def decode(can_id: int, data: bytes) -> Said | Bad | None:
    """Read one frame; None for a PGN that nothing is taken from."""
    pgn = pgn_of(can_id)
    if (signals := SIGNALS.get(pgn)) is None:
        return None
    if len(data) != BYTES:
        return Bad(f"PGN {pgn} with {len(data)} bytes, expected {BYTES}")
    return Said(pgn, can_id & 0xFF, {signal.spn: _value(signal, data) for signal in signals})


def _value(signal: Signal, data: bytes) -> float | None:
    raw = data[signal.first : signal.first + signal.length]
    if raw[-1] > 0xFA:
        return None
    return round(int.from_bytes(raw, "little") * signal.scale, 4)
