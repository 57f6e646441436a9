"""From many messages to one reading a second: the newest value of each signal, while it is fresh. Pure."""

from dataclasses import dataclass, field

from asty_edge.drivers.j1939 import codec
from asty_edge.drivers.j1939.codec import Said
from asty_edge.drivers.tank import litres
from asty_edge.reading import EngineReading, FuelReading

EVERY_MS = 1000
FRESH_MS = 10_000
METRE_PER_SECOND_PER_KMH = 1 / 3.6

_FUEL = frozenset({codec.FUEL_LEVEL, codec.SECOND_LEVEL, codec.FUEL_RATE, codec.TOTAL_FUEL, codec.TOTAL_FUEL_FINE})
_ENGINE = frozenset({codec.ENGINE_SPEED, codec.WHEEL_SPEED, codec.DISTANCE, codec.ENGINE_HOURS})


@dataclass(frozen=True, slots=True)
class _Known:
    value: float | None
    source: int
    at: int


@dataclass(slots=True)
class Latest:
    """Takes messages and gives at most one FuelReading and one EngineReading a second.

    A value that was not repeated for 10 s is forgotten. "Not available" counts only from the unit that gave the value: several
    units of a vehicle send the same PGN, and those without the sensor fill it with 0xFF.
    """

    device: str
    tank: float | None = None
    _known: dict[int, _Known] = field(default_factory=dict)
    _fuel_due: int | None = None
    _engine_due: int | None = None

    def take(self, at: int, said: Said) -> list[FuelReading | EngineReading]:
        """Take what was said at the monotonic ms `at`; return the readings that are due."""
        for spn, value in said.values.items():
            held = self._known.get(spn)
            if value is not None or held is None or held.source == said.source or at - held.at > FRESH_MS:
                self._known[spn] = _Known(value, said.source, at)
        readings: list[FuelReading | EngineReading] = []
        if _FUEL & said.values.keys():
            due, self._fuel_due = _due(self._fuel_due, at)
            if due:
                readings.append(self._fuel(at))
        if _ENGINE & said.values.keys():
            due, self._engine_due = _due(self._engine_due, at)
            if due:
                readings.append(self._engine(at))
        return readings

    def _fuel(self, at: int) -> FuelReading:
        level, fine = self._value(codec.FUEL_LEVEL, at), self._value(codec.TOTAL_FUEL_FINE, at)
        return FuelReading(
            self.device,
            at,
            level=level,
            second=self._value(codec.SECOND_LEVEL, at),
            litres=litres(self.tank, level),
            rate=self._value(codec.FUEL_RATE, at),
            total=self._value(codec.TOTAL_FUEL, at) if fine is None else fine,
            src="j1939",
        )

    def _engine(self, at: int) -> EngineReading:
        kmh = self._value(codec.WHEEL_SPEED, at)
        return EngineReading(
            self.device,
            at,
            rpm=self._value(codec.ENGINE_SPEED, at),
            v=None if kmh is None else round(kmh * METRE_PER_SECOND_PER_KMH, 3),
            dist=self._value(codec.DISTANCE, at),
            hours=self._value(codec.ENGINE_HOURS, at),
        )

    def _value(self, spn: int, at: int) -> float | None:
        held = self._known.get(spn)
        return held.value if held is not None and at - held.at <= FRESH_MS else None


def _due(due: int | None, at: int) -> tuple[bool, int]:
    """Tell whether a reading is due, and when the next is: a second after the first message, so that one round of them is in it."""
    if due is None:
        return False, at + EVERY_MS
    if at < due:
        return False, due
    return True, due + EVERY_MS if at - due < EVERY_MS else at + EVERY_MS
