"""The lift's registers. Sans-IO.

Holding 0 magic · 1 version · 2 state · 3 fault bits · 4-5 cycle · 6 angle 0.1 deg · 7 pressure 0.1 bar · 8-9 uptime s.
Discrete inputs 0 arm up · 1 bin clamped · 2 tip · 3 PTO · 4 footboard. 0xFFFF in a register: not available.
"""

from typing import Literal

from asty_edge.drivers.framing import Bad
from asty_edge.drivers.registers import NOT_AVAILABLE, Map, WordOrder, s16, u32
from asty_edge.reading import LiftReading

MAP = Map("lift controller with Asty's map", magic=0xA57B, version=1, holding=10, discrete=5)

State = Literal["idle", "raising", "dumping", "lowering", "fault", "unknown"]
_STATES: dict[int, State] = {0: "idle", 1: "raising", 2: "dumping", 3: "lowering", 4: "fault"}


def decode(device: str, at: int, registers: tuple[int, ...], inputs: tuple[bool, ...], order: WordOrder) -> LiftReading | Bad:
    """Read one poll: ten registers and five inputs. Cycle, faults and uptime are what a lift is judged by: without them it is bad."""
    if len(registers) != MAP.holding or len(inputs) != MAP.discrete:
        return Bad(f"{len(registers)} registers and {len(inputs)} inputs, expected {MAP.holding} and {MAP.discrete}")
    cycle, uptime = u32(registers[4], registers[5], order), u32(registers[8], registers[9], order)
    if cycle is None or uptime is None or registers[3] == NOT_AVAILABLE:
        return Bad("the controller has no cycle counter, fault bits or uptime: holding 3, 4-5 or 8-9 say not available")
    arm_up, clamped, tip, pto, footboard = inputs
    return LiftReading(
        device,
        at,
        state=_STATES.get(registers[2], "unknown"),
        cycle=cycle,
        fault=registers[3],
        angle=_tenth(registers[6]),
        pressure=_tenth(registers[7]),
        uptime=uptime,
        arm_up=arm_up,
        clamped=clamped,
        tip=tip,
        pto=pto,
        footboard=footboard,
    )


def _tenth(register: int) -> float | None:
    return None if register == NOT_AVAILABLE else s16(register) / 10
