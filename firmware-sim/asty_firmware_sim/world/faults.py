"""What goes wrong, when and where: by plan, on demand, or at random by rate."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from asty_firmware_sim.scenario import FaultName, FaultSpec, SerialName
from asty_firmware_sim.world.chance import chance

OF_A_LIFT: frozenset[FaultName] = frozenset({"no_tag", "swapped_tag", "unstable_weight", "lift_fault"})
"""Faults that spoil one lift; the others last for a time."""
_LASTS: dict[FaultName, float] = {"gnss_loss": 60, "unplugged_serial": 45, "silent_scanner": 240, "fuel_theft": 180}
_ROLL_EVERY = 60_000


@dataclass(slots=True)
class Fault:
    """One fault. A fault of a lift without an end waits for the next lift and is gone with it."""

    name: FaultName
    where: str
    begins: int  # UTC ms
    ends: int | None
    device: SerialName = "rfid"


class Faults:
    """All faults of all edges."""

    def __init__(self, edges: tuple[str, ...], rates: Mapping[FaultName, float], seed: int, start: int) -> None:
        self._rates = dict(sorted(rates.items()))
        self._dice = {edge: chance(seed, "faults", edge) for edge in edges}
        self._rolled = dict.fromkeys(edges, start)
        self._known: dict[str, list[Fault]] = {edge: [] for edge in edges}

    def add(self, spec: FaultSpec, begins: int) -> None:
        """Plan a fault to begin at `begins` (UTC ms). Raises KeyError for an edge that there isn't."""
        lasts = spec.lasts if spec.lasts is not None else _LASTS.get(spec.name)
        ends = None if lasts is None else begins + int(lasts * 1000)
        self._known[spec.where].append(Fault(spec.name, spec.where, begins, ends, spec.device))

    def roll(self, edge: str, now: int) -> None:
        """Throw the dice for each minute that has passed."""
        dice = self._dice[edge]
        while now - self._rolled[edge] >= _ROLL_EVERY:
            self._rolled[edge] += _ROLL_EVERY
            for name, rate in self._rates.items():
                if dice.random() < rate / 60:
                    self.add(FaultSpec(name=name, where=edge, device=_any_device(dice)), self._rolled[edge])
        self._known[edge] = [fault for fault in self._known[edge] if fault.ends is None or fault.ends > now]

    def active(self, edge: str, now: int) -> list[Fault]:
        """Return the faults that are on now."""
        return [fault for fault in self._known[edge] if fault.begins <= now and (fault.ends is None or now < fault.ends)]

    def of_next_lift(self, edge: str, now: int) -> frozenset[FaultName]:
        """Return the faults that spoil a lift that begins now; those that waited for one lift are used up."""
        spoiling = [fault for fault in self.active(edge, now) if fault.name in OF_A_LIFT]
        used = [fault for fault in spoiling if fault.ends is None]
        self._known[edge] = [fault for fault in self._known[edge] if fault not in used]
        return frozenset(fault.name for fault in spoiling)


def _any_device(dice: np.random.Generator) -> SerialName:
    devices: tuple[SerialName, ...] = ("rfid", "scale", "gnss")
    return devices[int(dice.integers(len(devices)))]
