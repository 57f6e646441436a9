"""asty-cloud-api roads matrix | bench FILE"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from asty_process.environment import SettingsError
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from asty_cloud_api import database, settings
from asty_cloud_api.fleet.models import Bin, Vehicle
from asty_cloud_api.fleet.models import Place as Named
from asty_cloud_api.roads import bench
from asty_cloud_api.roads.errors import RoadsAwayError, RoadsRefusedError
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.service import Roads

ERRORS: tuple[type[Exception], ...] = (RoadsAwayError, RoadsRefusedError)
_BAR = 30


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    roads = commands.add_parser("roads", help="travel times between the town's bins").add_subparsers(required=True)
    matrix = roads.add_parser("matrix", help="compute what lacks of the matrices of all trucks, with a progress bar")
    matrix.set_defaults(run=_matrix)
    measuring = roads.add_parser("bench", help="measure matrices of a town's file: first, from the cache, after a closure")
    measuring.add_argument("file", type=Path)
    measuring.add_argument("--bins", type=int, nargs="+", default=[300, 1000])
    measuring.add_argument("--json", action="store_true", help="print the figures as JSON")
    measuring.set_defaults(run=_bench)


def _settings() -> tuple[str, str]:
    """Return the addresses of Valhalla and of the database. Raises SettingsError."""
    chosen = settings.read()
    if chosen.valhalla_url is None:
        raise SettingsError("ASTY_VALHALLA_URL is missing: expected an address such as http://127.0.0.1:8002")
    return chosen.valhalla_url, chosen.dsn


def _matrix(_wanted: argparse.Namespace) -> None:
    url, dsn = _settings()
    asyncio.run(_all_matrices(url, dsn))


async def _all_matrices(url: str, dsn: str) -> None:
    engine = database.writing(dsn)
    profiles, places, names = _registered(engine)
    engine.dispose()
    roads = Roads.at(url, dsn)
    try:
        for profile in profiles:
            began = time.monotonic()
            found = await roads.matrix(profile, places, progress=progress_bar(profile.key))
            sys.stdout.write(f"{profile.key}: {len(places)} places, {time.monotonic() - began:.1f} s\n")
            for at, why in sorted(found.unreachable.items()):
                sys.stdout.write(f"  {names[at]}: {why}\n")
    finally:
        await roads.close()


def _registered(engine: Engine) -> tuple[list[Profile], list[Place], list[str]]:
    """Return the trucks' profiles, each once, and bins and named places with what they are called."""
    with Session(engine) as session:
        trucks = session.scalars(select(Vehicle).where(Vehicle.kind == "truck").order_by(Vehicle.edge))
        profiles = dict.fromkeys(Profile.of(truck.weight_t, truck.height_m, truck.width_m, truck.length_m) for truck in trucks)
        points = [(f"bin {bin_.id}", bin_.lat, bin_.lon) for bin_ in session.scalars(select(Bin).order_by(Bin.id))]
        points += [(place.name or place.kind, place.lat, place.lon) for place in session.scalars(select(Named).order_by(Named.kind))]
    return list(profiles), [Place(lat, lon) for _, lat, lon in points], [name for name, _, _ in points]


def progress_bar(title: str) -> Callable[[int, int], None]:
    """Return what draws a bar on a terminal, and into a log a line at each tenth."""
    began, on_terminal = time.monotonic(), sys.stderr.isatty()
    drawn = -1

    def draw(done: int, total: int) -> None:
        nonlocal drawn
        share = done / total if total else 1.0
        step = int(share * (100 if on_terminal else 10))
        if step == drawn:
            return
        drawn = step
        full = round(share * _BAR)
        line = f"{title} [{'#' * full}{'.' * (_BAR - full)}] {share:4.0%} {done:,} of {total:,} pairs, {time.monotonic() - began:.0f} s"
        sys.stderr.write(f"\r{line}{'' if share < 1 else chr(10)}" if on_terminal else f"{line}\n")
        sys.stderr.flush()

    return draw


def _bench(wanted: argparse.Namespace) -> None:
    url, dsn = _settings()
    results = asyncio.run(bench.run(url, dsn, wanted.file, wanted.bins, progress_bar))
    sys.stdout.write(
        msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n" if wanted.json else bench.as_table(results)
    )
