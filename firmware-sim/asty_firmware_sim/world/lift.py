"""One lift cycle as a timeline: approach, tag, clamp, raise, hold and weigh, dump, weigh again, lower, release."""

from dataclasses import dataclass
from itertools import accumulate
from math import exp, sin

import numpy as np

from asty_firmware_sim.world.senses import LiftShown

DIVISION = 0.5
"""kg: the scale's smallest step."""
FAULT_BITS = 0x0004
"""Bit 2 of the controller's fault register: hydraulic pressure."""

_PHASES = ("approach", "clamp", "raise", "weigh_full", "dump", "shake", "weigh_empty", "lower", "release", "settle")


@dataclass(frozen=True, slots=True)
class LiftCycle:
    """One cycle; times are seconds since the crew walks up to the bin. `gross` and `tare` are what a scale would show, kg."""

    ends: tuple[float, ...]
    tag_at: float
    gross: float
    tare: float
    phase_shift: float
    shaky: bool = False  # no weighing comes to rest
    broken: bool = False  # the lift stops with a fault and lowers the bin again

    @property
    def raised(self) -> float:
        """When the bin leaves the ground: the controller's state leaves idle."""
        return self.ends[1]

    @property
    def dumped(self) -> float:
        """When the content falls out."""
        return self.ends[4]

    @property
    def idle(self) -> float:
        """When the controller is idle again and has counted the cycle."""
        return self.ends[7]

    @property
    def over(self) -> float:
        """When the scale has come to rest and the next bin may come."""
        return self.ends[-1]

    def shown(self, t: float) -> LiftShown:
        """Return what controller and scale show at `t`."""
        k = next((k for k, end in enumerate(self.ends) if t < end), None)
        if k is None:
            return LiftShown()
        begin = self.ends[k - 1] if k else 0.0
        share = (t - begin) / (self.ends[k] - begin)
        return _PHASE_SHOWN[_PHASES[k]](self, t, share) if not self.broken or k < 3 else self._broken(k, share)

    def _broken(self, k: int, share: float) -> LiftShown:
        if k < 7:
            return LiftShown("fault", FAULT_BITS, 28.0, 4.0, clamped=True, footboard=True, kg=self._swinging(share, 6.0), stable=False)
        if k == 7:
            return LiftShown("lowering", 0, 28.0 * (1 - share), 90.0, clamped=True, kg=self._swinging(share, 4.0), stable=False)
        return LiftShown(kg=self.gross * max(0.0, 1 - 2 * share) if k == 8 else 0.0, stable=k > 8)

    def _swinging(self, t: float, amplitude: float) -> float:
        return _rounded(self.gross + amplitude * sin(7.3 * t + self.phase_shift))

    def weighed(self, kg: float, t: float, share: float) -> tuple[float, bool]:
        """Return what a hold shows: it settles in its first fifth, then stands."""
        if self.shaky:
            return _rounded(kg + 7.0 * sin(5.1 * t + self.phase_shift)), False
        if share < 0.18:
            return _rounded(kg + 5.0 * exp(-9 * share) * sin(11 * t + self.phase_shift)), False
        return kg, True


def _rounded(kg: float) -> float:
    return max(0.0, round(kg / DIVISION) * DIVISION)


def _approach(_: LiftCycle, _t: float, _share: float) -> LiftShown:
    return LiftShown(footboard=False)


def _clamp(cycle: LiftCycle, t: float, share: float) -> LiftShown:
    return LiftShown(pressure=60.0, clamped=share > 0.5, kg=_rounded(4 + 3 * sin(9 * t + cycle.phase_shift)), stable=False)


def _raise(cycle: LiftCycle, t: float, share: float) -> LiftShown:
    kg = _rounded(cycle.gross * min(1.0, 0.3 + share) + 12 * sin(8 * t + cycle.phase_shift))
    return LiftShown("raising", 0, 42 * share, 140.0, clamped=True, kg=kg, stable=False)


def _weigh_full(cycle: LiftCycle, t: float, share: float) -> LiftShown:
    kg, stable = cycle.weighed(cycle.gross, t, share)
    return LiftShown("raising", 0, 42.0, 120.0, clamped=True, kg=kg, stable=stable)


def _dump(cycle: LiftCycle, t: float, share: float) -> LiftShown:
    kg = _rounded(cycle.gross + (cycle.tare - cycle.gross) * share + 15 * sin(6 * t + cycle.phase_shift))
    return LiftShown("dumping", 0, 42 + 88 * share, 155.0, arm_up=share > 0.6, clamped=True, tip=share > 0.3, kg=kg, stable=False)


def _shake(cycle: LiftCycle, t: float, share: float) -> LiftShown:
    kg = _rounded(cycle.tare + 14 * (1 - share) * sin(13 * t + cycle.phase_shift))
    return LiftShown("lowering", 0, 130 - 88 * share, 110.0, arm_up=share < 0.3, clamped=True, tip=share < 0.5, kg=kg, stable=False)


def _weigh_empty(cycle: LiftCycle, t: float, share: float) -> LiftShown:
    kg, stable = cycle.weighed(cycle.tare, t, share)
    return LiftShown("lowering", 0, 42.0, 100.0, clamped=True, kg=kg, stable=stable)


def _lower(cycle: LiftCycle, t: float, share: float) -> LiftShown:
    kg = _rounded(cycle.tare + 6 * sin(8 * t + cycle.phase_shift))
    return LiftShown("lowering", 0, 42 * (1 - share), 80.0, clamped=True, kg=kg, stable=False)


def _release(cycle: LiftCycle, t: float, share: float) -> LiftShown:
    kg = _rounded(cycle.tare * (1 - share) + 3 * sin(9 * t + cycle.phase_shift))
    return LiftShown(clamped=share < 0.5, kg=kg, stable=False)


def _settle(_: LiftCycle, _t: float, share: float) -> LiftShown:
    return LiftShown(kg=0.0, stable=share > 0.5)


_PHASE_SHOWN = {
    "approach": _approach,
    "clamp": _clamp,
    "raise": _raise,
    "weigh_full": _weigh_full,
    "dump": _dump,
    "shake": _shake,
    "weigh_empty": _weigh_empty,
    "lower": _lower,
    "release": _release,
    "settle": _settle,
}


def lift_cycle(empty_kg: float, kg: float, rng: np.random.Generator, *, shaky: bool = False, broken: bool = False) -> LiftCycle:
    """Plan a cycle of about 24 s for a bin that holds `kg`."""
    seconds = [
        rng.uniform(2.0, 4.0),  # approach
        1.0,
        rng.uniform(2.6, 3.4),  # raise
        rng.uniform(2.8, 3.6),  # hold: stable for at least 2.2 s
        rng.uniform(3.0, 4.0),  # dump
        rng.uniform(1.2, 1.8),
        rng.uniform(2.8, 3.6),  # hold again
        rng.uniform(1.8, 2.4),  # lower
        1.5,
        1.5,
    ]
    if broken:
        seconds[4] += 30.0
    ends = tuple(float(end) for end in accumulate(seconds))
    tare = _rounded(empty_kg + rng.uniform(-0.4, 1.6))
    gross = _rounded(empty_kg + kg + rng.uniform(-0.3, 0.3))
    return LiftCycle(ends, float(ends[0] * rng.uniform(0.6, 0.95)), gross, tare, float(rng.uniform(0, 6.28)), shaky, broken)
