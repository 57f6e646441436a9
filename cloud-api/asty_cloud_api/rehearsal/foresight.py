"""The forecast-driven day: which bins must and may be emptied, by readings and weights alone; the planner weighs prizes against ways."""

from collections.abc import Iterator
from datetime import date, timedelta

from asty_cloud_api.forecast.fill import FillModel, fit
from asty_cloud_api.forecast.urgency import Care, lasts, urgency
from asty_cloud_api.planning.model import Stop
from asty_cloud_api.rehearsal.fixed import Observed, collecting_days
from asty_cloud_api.rehearsal.ground import SERVICE, Ground
from asty_cloud_api.rehearsal.known import Known, as_forecast

REFIT_DAYS = 7
LEAST = 0.2
"""The share of a visit's worth below which an early emptying is not even offered: it keeps the day's problem small."""


class Foresight:
    """Chooses stops morning by morning; learns anew each week."""

    def __init__(self, ground: Ground, care: Care, seen: Observed) -> None:
        self._ground = ground
        self._care = care
        self._days = collecting_days(ground, seen)
        self._bins = as_forecast(ground.bins)
        self._model: FillModel | None = None
        self._lasts: dict[str, int] = {}

    def stops(self, known: Known, morning: date) -> tuple[Stop, ...]:
        """The day's must and may stops with the loads that are expected in them."""
        evening = morning - timedelta(days=1)
        return tuple(self._stops(self._learnt(known, evening), known, morning, evening))

    def _stops(self, model: FillModel, known: Known, morning: date, evening: date) -> Iterator[Stop]:
        for index, site in enumerate(self._ground.bins):
            if morning.weekday() not in self._days[site.stream]:
                continue
            wait = until_next(morning, self._days[site.stream])
            since, level = known.last.get(site.id, (evening, 0.0))
            found = urgency(model, site.id, level, since, evening, wait, self._lasts[site.id], self._care)
            if found.must or found.prize >= LEAST * self._care.visit:
                share = level + model.expected(site.id, level, since, evening)
                kg, litres = share * site.kg_full, share * site.litres
                yield Stop(site.id, index + 2, kg, litres, SERVICE, must=found.must, prize=found.prize, stream=site.stream)

    def _learnt(self, known: Known, evening: date) -> FillModel:
        if self._model is None or (evening - self._model.today).days >= REFIT_DAYS:
            self._model = fit(self._bins, known.levels, known.lifts, evening)
            self._lasts = {b.id: lasts(self._model, b.id, evening, self._care) for b in self._ground.bins}
        return self._model


def until_next(day: date, weekdays: frozenset[int]) -> int:
    """Days until trucks go out again."""
    return next(days for days in range(1, 8) if (day + timedelta(days=days)).weekday() in weekdays)
