"""What the scale says: stretches of stable weighings, and stable loads outside of a lift."""

from asty_contracts.records import Weight

from asty_edge.event import Event, Moment
from asty_edge.fusion.alarms import AlarmBook
from asty_edge.reading import Weighing

CHANGE_KG = 20.0
SETTLED_MS = 2000
OVERLOAD_MS = 10_000


class Weighings:
    """Judges the stability of a stream of weighings."""

    def __init__(self, stable_s: float, alarms: AlarmBook) -> None:
        self._stable_ms = int(stable_s * 1000)
        self._alarms = alarms
        self._stable_since: dict[str, int] = {}
        self._over_since: dict[str, int] = {}
        self._recorded: dict[str, float] = {}

    def is_stable(self, weighing: Weighing) -> bool:
        """Tell whether a weighing counts: the indicator says stable, and has said so for `stable_s`. Call once for each, in order."""
        if not weighing.stable or weighing.kg is None:
            self._stable_since.pop(weighing.device, None)
            return False
        since = self._stable_since.setdefault(weighing.device, weighing.at)
        return weighing.at - since >= self._stable_ms

    def outside(self, weighing: Weighing, stable: bool, when: Moment) -> list[Event]:
        """Return a record of a load that stands on the scale outside of a lift, when it changed by more than 20 kg."""
        if not stable or weighing.kg is None or weighing.at - self._stable_since[weighing.device] < SETTLED_MS:
            return []
        before = self._recorded.get(weighing.device)
        if before is not None and abs(weighing.kg - before) <= CHANGE_KG:
            return []
        self._recorded[weighing.device] = weighing.kg
        return [Event(when, Weight(weighing.kg, weighing.net))]

    def overload(self, weighing: Weighing, when: Moment) -> list[Event]:
        """Return the alarm of a scale that has been out of its range for 10 s, or its end."""
        device = weighing.device
        if weighing.kg is not None:
            self._over_since.pop(device, None)
            return self._alarms.set("scale_fault", False, when, device=device, info="weighs again")
        since = self._over_since.setdefault(device, weighing.at)
        if weighing.at - since < OVERLOAD_MS:
            return []
        return self._alarms.set("scale_fault", True, when, device=device, info="over or under its range for 10 s")
