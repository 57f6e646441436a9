"""A town to plan for: the simulated town's register in a real database, ways over its street graph, and a clock that tests set."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asty_town
import numpy as np
import psycopg
import pytest
from asty_cloud_api import database
from asty_cloud_api.dispatch.known import Measures, Point, Polygon
from asty_cloud_api.dispatch.planner import Habits, Planner
from asty_cloud_api.dispatch.ways import Leg, WaysAwayError
from asty_cloud_api.planning.model import Roads
from asty_cloud_api.planning.stop import Iterations
from asty_firmware_sim.edges import register
from asty_firmware_sim.scenario import load
from asty_firmware_sim.world import World

ATHENS = ZoneInfo("Europe/Athens")
YESTERDAY = datetime.now(ATHENS).date() - timedelta(days=1)
MORNING = datetime.combine(YESTERDAY, time(7, 30), ATHENS).astimezone(UTC)
"""Half an hour after the shift of the trucks began; behind us, since the store marks lifts of the future."""
METRES_A_SECOND = 6.0
ROUNDS = 300


class GraphWays:
    """Ways over the town's street graph, past nothing that is closed. `away` makes it refuse as a server that is down."""

    def __init__(self, town: asty_town.Town) -> None:
        self.graph = town.graph()
        self.away = False
        self.asked = 0
        self._from: dict[int, list[float]] = {}

    async def matrix(self, _truck: Measures, places: Sequence[Point], closed: Sequence[Polygon]) -> Roads:
        self.asked += 1
        if self.away:
            raise WaysAwayError("the roads do not answer")
        nodes = [self.graph.nearest(*place) for place in places]
        for node in nodes:
            if node not in self._from:
                self._from[node] = self.graph.metres_from(node)
        metres = np.array([[self._from[a][b] for b in nodes] for a in nodes])
        metres[~np.isfinite(metres)] = np.nan
        if closed:
            metres = metres * 1.5
        return Roads(metres / METRES_A_SECOND, metres)

    async def legs(self, _truck: Measures, points: Sequence[Point], _closed: Sequence[Polygon]) -> list[Leg]:
        if self.away:
            raise WaysAwayError("the roads do not answer")
        return [{"metres": 100, "seconds": 20, "shape": [[a.lon, a.lat], [b.lon, b.lat]], "turns": []} for a, b in pairwise(points)]


@pytest.fixture(scope="session")
def asty(town_file: Path) -> asty_town.Town:
    return asty_town.read(town_file)


@pytest.fixture(scope="session")
def graph_ways(asty: asty_town.Town) -> GraphWays:
    return GraphWays(asty)


@pytest.fixture(scope="session")
def sim_register(asty: asty_town.Town, town_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The register of the simulated town, three trucks from 07:00 to 15:00."""
    world = World(asty, load("demo"), 1, round(MORNING.timestamp() * 1000))
    path = tmp_path_factory.mktemp("register") / "register.json"
    path.write_text(json.dumps(register(world, town_file), ensure_ascii=False))
    return path


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@dataclass
class Dispatch:
    """The database of the town with a planner on it. `now` is the planner's clock; `rows(sql)` reads."""

    fleet: Any
    ways: GraphWays
    lift_of: Any
    now: datetime = MORNING
    day: date = YESTERDAY
    mode: str = "auto"
    seconds: float = 0.4
    engines: list[Any] = field(default_factory=list)

    def at(self, clock: str, *, days: int = 0) -> datetime:
        """A local time on the planned day, or so many days after it."""
        return datetime.combine(self.day + timedelta(days=days), time.fromisoformat(clock), ATHENS).astimezone(UTC)

    def planner(self) -> Planner:
        engine = database.changing(self.fleet.dsn)
        self.engines.append(engine)
        habits = Habits(mode=self.mode, first_seconds=self.seconds, next_seconds=self.seconds)  # type: ignore[arg-type]
        return Planner(engine, self.ways, ATHENS, habits, lambda: self.now)

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.fleet.dsn, autocommit=True, row_factory=psycopg.rows.namedtuple_row) as connection:
            done = connection.execute(sql, parameters or None)  # type: ignore[arg-type]
            return done.fetchall() if done.description else []

    def routes(self) -> dict[str, Any]:
        """The newest route row of each truck."""
        return {row.edge: row for row in self.rows("SELECT DISTINCT ON (edge) * FROM fleet.route ORDER BY edge, day DESC, version DESC")}

    def trigger(self, kind: str, subject: str, said_by: str = "dispatcher", *, at: datetime | None = None, **detail: Any) -> str:
        """Put a waiting trigger there; returns its id."""
        (row,) = self.rows(
            "INSERT INTO fleet.plan_trigger (id, at, kind, subject, said_by, detail, state)"
            " VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, 'waiting') RETURNING id::text",
            at or self.now, kind, subject, said_by, json.dumps(detail),
        )  # fmt: skip
        return str(row.id)

    def lifts(self, edge: str, *lifts: tuple[str | None, datetime, float]) -> None:
        """Store lifts (tag, when, kg) of a truck as the stream does."""
        made = [(ms(at), self.lift_of(tag, ms(at), kg)) for tag, at, kg in lifts]
        self.fleet.put(edge, *made)

    def answer(self, name: str) -> Any:
        (row,) = self.rows("SELECT state, why, plan FROM fleet.plan_trigger WHERE id = %s", name)
        return row

    def ahead(self, edge: str) -> list[str]:
        """The bins that lie ahead of a truck."""
        row = self.routes().get(edge)
        return [stop["id"] for stop in row.stops if stop["kind"] == "bin" and not stop.get("done")] if row else []


@pytest.fixture(scope="module")
def planned_town(fleet: Any, sim_register: Path, graph_ways: GraphWays, lift_of: Any) -> Dispatch:
    done = fleet.run("register", "import", str(sim_register))
    assert done.returncode == 0, done.stderr
    return Dispatch(fleet, graph_ways, lift_of)


@pytest.fixture
async def dispatch(planned_town: Dispatch, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The town with nothing planned and nothing lifted, at half past seven; searches by rounds, so that a slow machine plans the same."""
    monkeypatch.setattr("asty_cloud_api.dispatch.planner.Budget", lambda _cpu, _wall, _say=None: Iterations(ROUNDS))
    planned_town.rows("TRUNCATE fleet.plan, fleet.route, fleet.plan_trigger, fleet.stop_outcome, fleet.closure CASCADE")
    planned_town.rows("TRUNCATE telemetry.lift, telemetry.position, telemetry.level")
    planned_town.now, planned_town.mode, planned_town.ways.away = MORNING, "auto", False
    yield planned_town
    for engine in planned_town.engines:
        await engine.dispose()
    planned_town.engines.clear()
