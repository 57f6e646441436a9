"""Which bins have a level sensor, when each speaks, and how far it is to what lies in them."""

from collections.abc import Sequence

from asty_firmware_sim.world.bins import Bin
from asty_firmware_sim.world.chance import chance
from asty_firmware_sim.world.senses import LevelShown

DEPTH_MM = {1100: 1000, 660: 900, 240: 850, 1300: 1200}
"""From the full mark to the floor, by the bin's litres."""
MOUNTED_MM = 300
"""From the sensor to the full mark."""
_FIRST_S = 20.0
_LEAST_MM = 30
"""Nearer an ultrasonic sensor hears only itself."""


class LevelSensors:
    """The sensors that one gateway hears. `counts` are their counters of frames, which go on after a restart."""

    def __init__(self, bins: Sequence[Bin], count: int, every: float, seed: int, edge: str, start: int) -> None:
        rng = chance(seed, edge, "levels")
        chosen = sorted(int(k) for k in rng.permutation(len(bins))[:count])
        self.bins = [bins[k] for k in chosen]
        self._every = round(every * 1000)
        self._due = [start + round(_FIRST_S * 1000 * k / max(1, len(chosen))) for k in range(len(chosen))]
        self._rng = rng
        self.counts = [0] * len(chosen)

    def spoken(self, now: int) -> tuple[LevelShown, ...]:
        """Return what those say whose time has come."""
        said = []
        for k, one in enumerate(self.bins):
            if now >= self._due[k]:
                self._due[k] = now + self._every
                self.counts[k] += 1
                said.append(LevelShown(one.tag, self._mm(one, now), 96.0, self.counts[k]))
        return tuple(said)

    def _mm(self, one: Bin, now: int) -> int:
        return max(_LEAST_MM, round(MOUNTED_MM + DEPTH_MM[one.litres] * (1 - one.level(now)) + float(self._rng.normal(0, 6))))
