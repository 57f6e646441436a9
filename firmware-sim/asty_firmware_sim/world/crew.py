"""Workers and their vests: worn, forgotten in the cab, left at the depot, taken off during a break."""

from dataclasses import dataclass, field

import numpy as np

from asty_firmware_sim.world.senses import VestShown

_FORGETS = 0.12
_LEAVES_BEHIND = 0.03
_TAKES_OFF = 0.45


@dataclass(slots=True)
class Worker:
    """One worker with one vest. Times are UTC ms."""

    rng: np.random.Generator = field(repr=False)
    battery: float = 90.0
    forgotten_until: int = 0
    absent_until: int = 0
    off_for_break: bool = False

    def begin_shift(self, now: int) -> None:
        """Put the vest on, or forget to."""
        self.battery = float(self.rng.uniform(55, 100))
        chance = self.rng.random()
        if chance < _LEAVES_BEHIND:
            self.absent_until = now + int(self.rng.uniform(20, 50) * 60_000)
        elif chance < _LEAVES_BEHIND + _FORGETS:
            self.forgotten_until = now + int(self.rng.uniform(8, 25) * 60_000)

    def begin_break(self) -> None:
        """Take the vest off for a break, or keep it on."""
        self.off_for_break = self.rng.random() < _TAKES_OFF

    def end_break(self, now: int) -> None:
        """Put it on again; now and then it stays in the cab for a while."""
        if self.off_for_break and self.rng.random() < 0.2:
            self.forgotten_until = now + int(self.rng.uniform(6, 15) * 60_000)
        self.off_for_break = False

    def shown(self, now: int) -> VestShown:
        """Return what the vest's radio gives."""
        heard = now >= self.absent_until
        worn = heard and now >= self.forgotten_until and not self.off_for_break
        return VestShown(heard, worn, self.battery, worn)
