"""The fuel probe's registers. Sans-IO.

Holding 0 magic · 1 version · 2 level 0.1 % · 3 temperature 0.1 Cel, signed · 4 status bits, bit 0: the probe is faulty.
0xFFFF in a register: not available. The temperature is the probe's own business: no reading carries it.
"""

from dataclasses import dataclass

from asty_edge.drivers.framing import Bad
from asty_edge.drivers.registers import NOT_AVAILABLE, Map

MAP = Map("fuel probe with Asty's map", magic=0xA57F, version=1, holding=5)

_FAULTY = 0x0001
_FULL = 1000


@dataclass(frozen=True, slots=True)
class Tank:
    """`level` in %; None when the probe is faulty or has no value."""

    level: float | None


def decode(registers: tuple[int, ...]) -> Tank | Bad:
    """Read one poll of five registers."""
    if len(registers) != MAP.holding:
        return Bad(f"{len(registers)} registers, expected {MAP.holding}")
    level, status = registers[2], registers[4]
    if status & _FAULTY or level == NOT_AVAILABLE:
        return Tank(None)
    return Bad(f"a level of {level / 10:g} %") if level > _FULL else Tank(level / 10)
