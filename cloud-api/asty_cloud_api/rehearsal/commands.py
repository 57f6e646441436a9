"""`asty-cloud-api bench plan`, `forecast backtest` and `simulate`, which `asty` calls by the same names."""

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from asty_town import NoRouteError, generate

from asty_cloud_api import database, settings
from asty_cloud_api.fleet import fixed_routes
from asty_cloud_api.forecast import levels_file
from asty_cloud_api.forecast.backtest import Backtest, NothingToJudgeError, backtest
from asty_cloud_api.forecast.levels_file import LevelsFileError
from asty_cloud_api.forecast.urgency import Care
from asty_cloud_api.planning.instances import InstanceError
from asty_cloud_api.rehearsal import pictures, quality, readings
from asty_cloud_api.rehearsal.fixed import UnknownBinsError
from asty_cloud_api.rehearsal.month import Wanted
from asty_cloud_api.rehearsal.seeds import free_cores, rehearse_all
from asty_cloud_api.rehearsal.summary import summary

ERRORS = (InstanceError, LevelsFileError, NothingToJudgeError, NoRouteError, UnknownBinsError)
"""What a command ends with in one line, beside what every command of this program may raise."""
_BEGAN = time.monotonic()
NICE = 10
"""So that a town's own services come first on the machine where somebody rehearses."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the program's."""
    bench = commands.add_parser("bench", help="what the planner is worth").add_subparsers(required=True)
    plan = bench.add_parser("plan", help="PyVRP alone, OR-Tools alone and ours on published instances; a re-plan against a long answer")
    plan.add_argument("files", nargs="*", type=_file, metavar="FILE", help="CVRP or MTVRPTWR in VRPLIB's format, VRPTW (.txt) in Solomon's")
    plan.add_argument("--seconds", type=_positive, default=60.0, help="of CPU per engine and instance (default: 60)")
    plan.add_argument("--seed", type=int, default=1)
    plan.add_argument("--replans", type=int, default=1, metavar="N", help="breakdowns to re-plan, by seeds from SEED on (default: 1)")
    plan.add_argument("--replan-seconds", type=_positive, default=2.4, metavar="SECONDS", help="of CPU that it searches (default: 2.4)")
    plan.add_argument("--replan-against", type=_positive, default=60.0, metavar="SECONDS", help="of CPU of the long answer (default: 60)")
    plan.add_argument("--replan-bins", type=int, default=300, metavar="N")
    plan.add_argument("--json", action="store_true")
    plan.set_defaults(run=_bench_plan)

    forecast = commands.add_parser("forecast", help="what the fill forecast is worth").add_subparsers(required=True)
    walk = forecast.add_parser("backtest", help="walk forward through readings; persistence (it stays as it is) is the baseline")
    source = walk.add_mutually_exclusive_group(required=True)
    source.add_argument("file", nargs="?", type=_file, help="level readings as Wyndham City publishes them (CSV)")
    source.add_argument("--database", action="store_true", help="this town's own weighed lifts")
    walk.add_argument("--full", type=_share, default=0.8, help="the level whose chance is judged, share of the volume (default: 0.8)")
    walk.add_argument("--country", default="GR", help="whose public holidays (default: GR)")
    walk.add_argument("--plot", type=Path, metavar="FILE.svg", help="write the calibration plot there")
    walk.add_argument("--json", action="store_true")
    walk.set_defaults(run=_backtest)

    _register_simulate(commands)


def _register_simulate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    wanted = Wanted()
    month = commands.add_parser(
        "simulate", help="a town's month with fixed routes and with forecast-driven plans: km, hours, fuel, overflows"
    )
    month.add_argument("--days", type=_count, default=wanted.days)
    month.add_argument("--seeds", type=_count, default=5, metavar="N", help="towns to rehearse, by seeds from --first-seed on (default: 5)")
    month.add_argument("--first-seed", type=int, default=1)
    month.add_argument("--bins", type=_count, default=wanted.bins)
    month.add_argument("--sensors", type=_share, default=wanted.sensors, help="share of bins with a level sensor; all lifts are weighed")
    month.add_argument("--seconds", type=_positive, help="of CPU for a day's plan (default: 1 per 300 bins)")
    month.add_argument("--risk", type=_share, default=wanted.care.risk, help="the chance of an overflow that is taken")
    month.add_argument("--visit", type=_positive, default=wanted.care.visit, help="euro that a visit on its own costs")
    month.add_argument("--town", type=_file, metavar="FILE", help="an OpenStreetMap extract; otherwise the built-in town")
    month.add_argument("--fixed-routes", type=_file, metavar="FILE", help="a way more: rounds of the rehearsed town's bins, CSV or JSON")
    month.add_argument("--out", type=Path, metavar="DIR", help="write simulation.json and simulation.svg there")
    month.add_argument("--json", action="store_true")
    month.set_defaults(run=_simulate)


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text}: no such file")
    return path


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1 or more")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a share from 0 to 1")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: expected more than 0")
    return value


def _bench_plan(wanted: argparse.Namespace) -> None:
    os.nice(NICE)
    result = quality.measure(
        wanted.files,
        wanted.seconds,
        wanted.seed,
        breakdowns=quality.Breakdowns(wanted.replans, wanted.replan_bins, wanted.replan_seconds, wanted.replan_against),
        say=_said,
    )
    sys.stdout.write((json.dumps(result.as_json(), indent=2) if wanted.json else quality.as_table(result)) + "\n")


def _backtest(wanted: argparse.Namespace) -> None:
    if wanted.database:
        chosen = settings.read()
        engine = database.writing(chosen.dsn)
        bins, lifts = readings.of_database(engine, chosen.zone)
        engine.dispose()
        name, result = "own lifts", backtest((), lifts=lifts, bins=bins, full=wanted.full, country=wanted.country)
    else:
        name, result = wanted.file.stem, backtest(levels_file.read(wanted.file), full=wanted.full, country=wanted.country)
    if wanted.plot:
        wanted.plot.write_text(pictures.of_backtest(result, name, wanted.full), encoding="utf-8")
    whole = {"source": name, "full": wanted.full, **asdict(result)}
    sys.stdout.write((json.dumps(whole, indent=2) if wanted.json else _told(result, name, wanted.full)) + "\n")


def _told(it: Backtest, name: str, full: float) -> str:
    lines = [
        f"{name}: {it.n} stretches, {100 * it.full_share:.1f} % of them {100 * full:.0f} % full by their end",
        f"{'':<28}{'ours':>10}{'persistence':>14}{'base rate':>12}",
        f"{'Brier score of full by then':<28}{it.ours.brier:>10.4f}{it.persistence.brier:>14.4f}{it.always:>12.4f}",
        f"{'RMSE of the level':<28}{it.ours.rmse:>10.4f}{it.persistence.rmse:>14.4f}",
        f"{'MAE of the level':<28}{it.ours.mae:>10.4f}{it.persistence.mae:>14.4f}",
        f"mean distance between the chance said and how often it came true: {it.off:.4f}",
    ]
    lines += [f"  said {c.said:5.2f}  came true {c.came:5.2f}  {c.n:>7} times" for c in it.calibration]
    return "\n".join(lines)


def _simulate(asked: argparse.Namespace) -> None:
    os.nice(NICE)
    seconds = asked.seconds or max(0.3, asked.bins / 300)
    wanted = Wanted(asked.days, asked.bins, seconds, asked.sensors, Care(asked.risk, asked.visit), _own_routes(asked.fixed_routes))
    seeds, cores = range(asked.first_seed, asked.first_seed + asked.seeds), free_cores()
    _said(f"{asked.seeds} seeds on {min(cores, asked.seeds)} of {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="asty-simulate-") as folder:
        town_file = asked.town or Path(folder) / "town.osm.pbf"
        if asked.town is None:
            generate(town_file)
        months = rehearse_all(town_file, wanted, seeds, cores, say=_said)
    result = summary(wanted, quality.machine(), months)
    text = json.dumps(result.as_json(), indent=2)
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "simulation.json").write_text(text + "\n", encoding="utf-8")
        (asked.out / "simulation.svg").write_text(pictures.of_months(result, months), encoding="utf-8")
    sys.stdout.write((text if asked.json else result.as_table()) + "\n")


def _own_routes(path: Path | None) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
    rounds: dict[tuple[int, str], list[str]] = {}
    for it in fixed_routes.read(path) if path else ():
        rounds.setdefault((it.weekday, it.truck), []).append(it.bin)
    return tuple((weekday, truck, tuple(bins)) for (weekday, truck), bins in rounds.items())


def _said(text: str) -> None:
    """A line of progress with the seconds since this process began to work."""
    sys.stderr.write(f"[{time.monotonic() - _BEGAN:6.1f} s] {text}\n")
