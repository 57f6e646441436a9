"""From the books of several seeds to figures with confidence intervals; savings are paired: each seed against itself."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asty_cloud_api.rehearsal.month import DayBooks, Month, Wanted

T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Student's t for a two-sided interval of 95 % by degrees of freedom from 1; beyond 15 the normal's 1.96 is near enough."""
PUBLISHED = -41.7
"""Percent of kilometres: the result published for underground containers in Groningen."""
FIGURES = {
    "km": "kilometres",
    "hours": "truck hours",
    "fuel": "diesel, l",
    "truck_days": "truck days",
    "lifts": "lifts",
    "unloads": "unloadings",
    "tonnes": "tonnes",
    "fill": "fill when emptied, %",
    "overflow": "bin-days overflowing, %",
    "late": "hours past the shift",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """One seed and one way over all days that count. `fill` and `overflow` in percent."""

    km: float
    hours: float
    fuel: float
    truck_days: int
    lifts: int
    unloads: int
    tonnes: float
    fill: float
    overflow: float
    late: float
    left: int
    faults: int


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds and half the width of its interval of 95 %; `half` None for a single seed."""

    value: float
    half: float | None

    def __str__(self) -> str:
        return f"{self.value:.4g}" if self.half is None else f"{self.value:.4g} ± {self.half:.2g}"


def totals(books: Sequence[DayBooks], bins: int) -> Totals:
    """Add up the days of one way."""
    fills = [fill for book in books for fill in book.fills]
    return Totals(
        km=sum(b.metres for b in books) / 1000,
        hours=sum(b.seconds for b in books) / 3600,
        fuel=sum(b.fuel for b in books),
        truck_days=sum(b.trucks for b in books),
        lifts=len(fills),
        unloads=sum(b.unloads for b in books),
        tonnes=sum(b.kg for b in books) / 1000,
        fill=100 * statistics.fmean(fills) if fills else 0.0,
        overflow=100 * sum(b.overflowing for b in books) / (bins * len(books)),
        late=sum(b.late for b in books) / 3600,
        left=sum(b.left for b in books),
        faults=sum(b.faults for b in books),
    )


def mean(values: Sequence[float]) -> Mean:
    """The mean of one value per seed, with Student's interval."""
    n = len(values)
    if n < 2:
        return Mean(values[0], None)
    t = T_975[n - 2] if n - 2 < len(T_975) else 1.96
    return Mean(statistics.fmean(values), t * statistics.stdev(values) / n**0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """All seeds: `of[way]` one total per seed, in the order of `seeds`."""

    wanted: Wanted
    machine: str
    seeds: tuple[int, ...]
    of: dict[str, tuple[Totals, ...]]

    def figure(self, way: str, name: str) -> Mean:
        """One figure of one way."""
        return mean([float(getattr(total, name)) for total in self.of[way]])

    def change(self, way: str, against: str, name: str) -> Mean:
        """By how many percent a way differs from another, each seed against itself."""
        pairs = zip(self.of[way], self.of[against], strict=True)
        return mean([100 * (float(getattr(a, name)) / float(getattr(b, name)) - 1) for a, b in pairs])

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        ways = list(self.of)
        return {
            "wanted": asdict(self.wanted),
            "machine": self.machine,
            "seeds": list(self.seeds),
            "published_km_percent": PUBLISHED,
            "ways": {way: {name: asdict(self.figure(way, name)) for name in FIGURES} for way in ways},
            "forecast_against_percent": {
                way: {name: asdict(self.change("forecast", way, name)) for name in ("km", "hours", "fuel", "lifts")}
                for way in ways
                if way != "forecast" and "forecast" in ways
            },
            "by_seed": {way: [asdict(total) for total in self.of[way]] for way in ways},
        }

    def as_table(self) -> str:
        """For people."""
        ways = list(self.of)
        lines = [f"{'':<26}" + "".join(f"{way:>20}" for way in ways)]
        lines += [f"{text:<26}" + "".join(f"{self.figure(way, name)!s:>20}" for way in ways) for name, text in FIGURES.items()]
        for other in ways[:-1]:
            changes = ", ".join(f"{name} {self.change('forecast', other, name)} %" for name in ("km", "hours", "fuel", "lifts"))
            lines.append(f"forecast against {other}: {changes}")
        left, faults = sum(t.left for t in self.of["forecast"]), sum(t.faults for t in self.of["forecast"])
        lines.append(f"must-stops that the forecast's plans left for lack of time: {left}; found by the checker in its plans: {faults}")
        w = self.wanted
        lines.append(
            f"{w.days} days, {w.bins} bins, sensors on {100 * w.sensors:.0f} %, {w.seconds:g} s of CPU a plan, "
            f"seeds {', '.join(map(str, self.seeds))}; ± 95 % over seeds; {self.machine}"
        )
        return "\n".join(lines)


def summary(wanted: Wanted, machine: str, months: Sequence[Month]) -> Summary:
    """Sum up months of one kind, by seed."""
    months = sorted(months, key=lambda month: month.seed)
    of = {way: tuple(totals(month.books[way], month.bins) for month in months) for way in months[0].books}
    return Summary(wanted, machine, tuple(month.seed for month in months), of)
