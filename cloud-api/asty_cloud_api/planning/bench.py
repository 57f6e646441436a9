"""What the engines are worth, measured: published instances against their best known costs, and a re-plan against a long answer."""

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyvrp

from asty_cloud_api.planning import planner
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.instances import Instance, as_day, best_known, read
from asty_cloud_api.planning.model import Day, Done, Prices, Roads, Station, Stop, Truck, Window
from asty_cloud_api.planning.plan import Plan
from asty_cloud_api.planning.replan import Breakdown, replan
from asty_cloud_api.planning.stop import CpuSeconds

ENGINES = ("pyvrp alone", "ortools alone", "ours")


@dataclass(frozen=True, slots=True)
class Row:
    """One engine on one instance. `cost` in the instance's own unit, None without a feasible answer; `gap` to `best` in percent."""

    instance: str
    engine: str
    stops: int
    cpu_seconds: float
    cost: float | None
    best: float | None
    gap: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class ReplanRow:
    """A re-plan after a breakdown: euro of everything still to do, missed prizes and 1000 EUR per missed must-stop included."""

    bins: int
    left: int
    cpu_seconds: float
    cost: float
    long_seconds: float
    long_cost: float
    gap: float
    violations: int


def measure(files: Iterable[Path], seconds: float, seed: int, *, engines: Iterable[str] = ENGINES) -> tuple[Row, ...]:
    """Run each engine on each file for CPU seconds, on one thread. Raises InstanceError for a file that is no instance."""
    rows: list[Row] = []
    for path in files:
        instance, best = read(path), best_known(path)
        rows += [_row(instance, engine, best, seconds, seed) for engine in engines]
    return tuple(rows)


def _row(instance: Instance, engine: str, best: float | None, seconds: float, seed: int) -> Row:
    if engine == "ortools alone" and any(instance.releases):
        return Row(instance.name, engine, len(instance.demands) - 1, 0.0, None, best, None, "it has no release times of trips")
    began = time.thread_time()
    if engine == "pyvrp alone":
        cost = _alone(instance, seconds, seed)
    else:
        cost = _ours(instance, "ortools" if engine == "ortools alone" else "pyvrp", seconds, seed)
    spent = time.thread_time() - began
    published = None if cost is None else cost / (instance.scale if instance.kind == "VRPTW" else 1)
    gap = None if published is None or best is None else 100 * (published / best - 1)
    why = "" if cost is not None else "no feasible answer in this time"
    return Row(instance.name, engine, len(instance.demands) - 1, spent, published, best, gap, why)


def _ours(instance: Instance, engine: str, seconds: float, seed: int) -> float | None:
    day = as_day(instance)
    plan = planner.plan_day(day, CpuSeconds(seconds), seed, engine=engine)
    complete = len(plan.served) == len(day.stops) and not check(day, plan)
    return plan.metres if complete else None


def _alone(instance: Instance, seconds: float, seed: int) -> float | None:
    """PyVRP as its own reader would set it up: nothing of ours between the instance and the search."""
    timed = instance.kind != "CVRP"
    clients = [
        pyvrp.Client(
            i,
            delivery=[instance.demands[i]],
            service_duration=instance.services[i],
            release_time=instance.releases[i],
            tw_early=instance.windows[i].start,
            tw_late=instance.windows[i].end if timed else sys.maxsize,
        )
        for i in range(1, len(instance.demands))
    ]
    trucks = pyvrp.VehicleType(
        instance.vehicles if timed else len(clients),
        [instance.capacity],
        tw_early=instance.windows[0].start,
        tw_late=instance.windows[0].end if timed else sys.maxsize,
        reload_depots=[0] if instance.kind == "MTVRPTWR" else [],
    )
    locations = [pyvrp.Location(0, 0) for _ in instance.demands]
    ways: list[Any] = [instance.ways]  # PyVRP's stub names an impossible shape
    data = pyvrp.ProblemData(locations, clients, [pyvrp.Depot(0)], [trucks], ways, ways)
    stop = CpuSeconds(seconds)

    def enough(best_cost: int) -> bool:
        return stop(float(best_cost)) >= 1

    result = pyvrp.solve(data, enough, seed=seed, collect_stats=False)
    return float(result.cost()) if result.is_feasible() else None


def measure_replan(seconds: float, seed: int, *, bins: int = 300, long_seconds: float = 60.0, morning: float = 5.0) -> ReplanRow:
    """Break a truck down two hours into a day of `bins` bins, first planned in `morning` s; compare with an answer of `long_seconds`."""
    day = town(bins, seed)
    plan = planner.plan_day(day, CpuSeconds(morning), seed)
    now = day.trucks[0].shift.start + 7200
    running = _at(day, plan, now)
    broken = Breakdown(max(plan.routes, key=lambda route: len(route.stops)).truck)
    began = time.thread_time()
    quick = replan(running, plan, broken, CpuSeconds(seconds), seed)
    spent = time.thread_time() - began
    long = replan(running, plan, broken, CpuSeconds(long_seconds), seed, hasty=False)
    cost, best = _value(quick.day, quick.plan), _value(long.day, long.plan)
    violations = len(check(quick.day, quick.plan))
    return ReplanRow(bins, len(running.stops) - len(running.done), spent, cost, long_seconds, best, 100 * (cost / best - 1), violations)


def town(bins: int, seed: int) -> Day:
    """Invent a town of 4 km with schools, a market, trucks of two sizes and a transfer station; two bins in three must be emptied."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 4000, (bins + 2, 2))
    metres = np.abs(xy[:, None] - xy[None]).sum(-1)
    fill = rng.uniform(0.1, 1, bins)
    start, end = 6 * 3600, 13 * 3600
    windows = {0: (Window(start, start + 5400),), 1: (Window(start + 10_800, end),)}
    stops = tuple(
        Stop(f"b{i}", i + 2, float(round(110 * f)), float(round(385 * f)), 90, windows.get(i % 25, ()), f > 0.4, 3 * max(0.0, f - 0.2))
        for i, f in enumerate(fill.tolist())
    )
    prices = Prices(fixed=30, per_km=0.8, per_hour=25, overtime_per_hour=40)
    sizes = [(5000.0, 16_000.0), (3000.0, 8000.0)]
    trucks = tuple(
        Truck(f"t{i}", kg, litres, Window(start, end), 0, 0, prices=prices, overtime=1800) for i, (kg, litres) in enumerate(sizes * 3)
    )
    return Day(trucks, stops, (Station("transfer", 1),), {"truck": Roads(np.ceil(metres / 7), metres)})


def _at(day: Day, plan: Plan, now: int) -> Day:
    """The day as it stands at `now` when everything went as planned."""
    done: list[Done] = []
    for route in plan.routes:
        truck = day.truck(route.truck)
        past = [v for v in route.visits if v.leave <= now]
        done += [Done(v.id, truck.id, v.leave) for v in past if v.kind == "stop"]
        last = past[-1]
        unloads = sum(v.kind == "unload" for v in past)
        ready = max(now, last.leave)
        day = day.with_truck(
            replace(truck, start=last.place, ready=ready, kg=last.kg, litres=last.litres, aboard=route.stream, trips=1 + unloads)
        )
    return replace(day, done=tuple(done))


def _value(day: Day, plan: Plan) -> float:
    out = {item.id for item in plan.left_out if item.what == "stop"}
    missed = [stop for stop in day.stops if stop.id in out]
    return plan.cost.total + sum(1000.0 if stop.must else stop.prize for stop in missed)
