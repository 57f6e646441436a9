"""How long matrices take: the first of a town, from the cache, with a new bin, after a closure; and how many pairs each asked."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asty_town import read
from msgspec import Struct
from sqlalchemy import delete
from sqlalchemy.orm import Session

from asty_cloud_api import database
from asty_cloud_api.roads.matrices import Progress
from asty_cloud_api.roads.models import RoadPlace, RoadRow
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.service import Roads
from asty_cloud_api.roads.valhalla import Ring, Times, Valhalla

CLOSED_METRES = 120.0


class Step(Struct, frozen=True):
    """One measured request: seconds it took, and pairs that it asked of Valhalla."""

    what: str
    bins: int
    seconds: float
    pairs_asked: int
    pairs: int


class _Counting(Valhalla):
    asked = 0

    async def matrix(
        self, profile: Profile, sources: list[dict[str, Any]], targets: list[dict[str, Any]], closed: list[Ring]
    ) -> tuple[Times, Times]:
        self.asked += len(sources) * len(targets)
        return await super().matrix(profile, sources, targets, closed)


async def run(url: str, dsn: str, town_file: Path, sizes: list[int], bar: Callable[[str], Progress]) -> list[Step]:
    """Measure each number of bins from an empty cache. Raises TownFileError, RoadsAwayError."""
    places = _beside_streets(town_file, max(sizes) + 1)
    steps: list[Step] = []
    for size in sizes:
        engine = database.writing(dsn)
        with Session(engine) as session, session.begin():
            session.execute(delete(RoadRow))
            session.execute(delete(RoadPlace))
        valhalla = _Counting(url)
        roads = Roads(valhalla, engine)
        for what, bins, closed in (
            ("first", size, []),
            ("from the cache", size, []),
            ("with one new bin", size + 1, []),
            (f"after a closure of {CLOSED_METRES:.0f} m", size, [_block(places[0])]),
            ("closed, from the cache", size, [_block(places[0])]),
            ("opened again", size, []),
        ):
            valhalla.asked, began = 0, time.monotonic()
            await roads.matrix(Profile(), places[:bins], closed, bar(f"{what}, {bins} bins") if what == "first" else None)
            steps.append(Step(what, bins, round(time.monotonic() - began, 2), valhalla.asked, bins * bins))
        await roads.close()
    return steps


def as_table(steps: list[Step]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| matrix | bins | seconds | pairs asked | of |", "|---|---:|---:|---:|---:|"]
    lines += [f"| {step.what} | {step.bins} | {step.seconds:.2f} | {step.pairs_asked:,} | {step.pairs:,} |" for step in steps]
    return "\n".join(lines) + "\n"


def _beside_streets(town_file: Path, count: int) -> list[Place]:
    """Return points a few metres beside the town's drivable streets, the same for the same file."""
    chance = random.Random(1)  # noqa: S311  the same bins every time
    lines = [street.line for street in read(town_file).streets if street.drivable and len(street.line) > 1]
    places = []
    for _ in range(count):
        line = chance.choice(lines)
        at, share = chance.randrange(len(line) - 1), chance.uniform(0.1, 0.9)
        (x1, y1), (x2, y2) = line[at], line[at + 1]
        places.append(Place(y1 + (y2 - y1) * share + chance.uniform(-3e-5, 3e-5), x1 + (x2 - x1) * share + chance.uniform(-3e-5, 3e-5)))
    return places


def _block(centre: Place) -> Ring:
    """Return a square round a place."""
    up, right = CLOSED_METRES / 2 / 111_320, CLOSED_METRES / 2 / 86_000
    west, east, south, north = centre.lon - right, centre.lon + right, centre.lat - up, centre.lat + up
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]
