"""A driver, a route along the town's streets, and the tablet that a test plays: the real server over the busy town."""

import itertools
import json
import math
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asty_town
import httpx
import psycopg
import pytest
from asty_cloud_api.fleet.plans import service_day
from psycopg.types.json import Jsonb

PIN, CARD, DRIVER = "246813", "0004512399", "Γιώργος Παπαδόπουλος"
STREAMS = {"σύμμεικτα": "residual", "ανακύκλωση": "recycling"}


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass
class Routes:
    """Makes route versions of truck-01 as the planner stores them, on the service day of now."""

    dsn: str
    bins: list[dict[str, Any]]
    graph: asty_town.RoadGraph
    depot: tuple[float, float]
    day: Any
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def stop(self, n: int, bin_: dict[str, Any], why: str = "") -> dict[str, Any]:
        eta = iso(datetime.now(UTC) + timedelta(minutes=4 * n))
        return {
            "n": n, "kind": "bin", "id": bin_["id"], "lat": bin_["lat"], "lon": bin_["lon"], "street": bin_["street"], "eta": eta,
            "service_s": 60, "kg": 80, "litres": 1100, "stream": STREAMS[bin_["stream"]], "must": False, "why": why,
        }  # fmt: skip

    def put(self, bins: list[dict[str, Any]], *, station_after: int | None = None, whys: dict[str, str] | None = None) -> int:
        """Store the next version, with the NOTIFY that the planner sends; return its number."""
        stops: list[dict[str, Any]] = []
        for bin_ in bins:
            stops.append(self.stop(len(stops) + 1, bin_, (whys or {}).get(bin_["id"], "")))
            if len(stops) == station_after:
                stops.append(self._place(len(stops) + 1, "station", "Χωματερίδα 1"))
        stops.append(self._place(len(stops) + 1, "garage", None))
        path = [self._leg(a, b) for a, b in itertools.pairwise([{"lat": self.depot[0], "lon": self.depot[1]}, *stops])]
        figures = {"metres": sum(leg["metres"] for leg in path), "seconds": 3600, "kg": 80 * len(bins), "stops": len(bins)}
        version, plan, now = next(self.versions), uuid.uuid4(), datetime.now(UTC)
        with psycopg.connect(self.dsn, autocommit=True) as connection, connection.transaction():
            connection.execute("UPDATE fleet.plan SET state = 'replaced' WHERE day = %s AND state = 'running'", [self.day])
            connection.execute(
                "INSERT INTO fleet.plan (id, day, version, state, made, made_by, reasons, figures, problem, result)"
                " VALUES (%s, %s, %s, 'running', %s, 'test', '[]', '{}', '{}', '{}')",
                [plan, self.day, version, now],
            )
            connection.execute(
                "INSERT INTO fleet.route (edge, day, version, plan, made, stops, path, figures) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                ["truck-01", self.day, version, plan, now, Jsonb(stops), Jsonb(path), Jsonb(figures)],
            )
            news = json.dumps({"what": "route", "edge": "truck-01", "day": str(self.day), "version": version})
            connection.execute("SELECT pg_notify('fleet', %s)", [news])
        return version

    def _place(self, n: int, kind: str, street: str | None) -> dict[str, Any]:
        eta = iso(datetime.now(UTC) + timedelta(minutes=4 * n))
        return {"n": n, "kind": kind, "id": kind, "lat": self.depot[0], "lon": self.depot[1], "street": street, "eta": eta,
                "service_s": 600, "kg": 0, "litres": 0, "stream": None, "must": False, "why": ""}  # fmt: skip

    def _leg(self, a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
        line, metres = self.graph.route((a["lat"], a["lon"]), (b["lat"], b["lon"]))
        shape = [[lon, lat] for lat, lon in line]
        return {"to": b["n"], "metres": metres, "seconds": metres / 6, "shape": shape, "turns": turns_of(shape)}


def turns_of(shape: list[list[float]]) -> list[dict[str, Any]]:
    """Say a turn wherever the line bends by more than 40 degrees."""

    def heading(i: int) -> float:
        (x0, y0), (x1, y1) = shape[i], shape[i + 1]
        return math.atan2((x1 - x0) * math.cos(math.radians(y0)), y1 - y0)

    turns = []
    for at in range(1, len(shape) - 1):
        bend = math.degrees((heading(at) - heading(at - 1) + math.pi) % (2 * math.pi) - math.pi)
        if abs(bend) > 40:
            side, word = ("right", "δεξιά") if bend > 0 else ("left", "αριστερά")
            turns.append({"at": at, "metres": 0, "type": side, "text": f"Στρίψτε {word}", "say": f"Στρίψτε {word}"})
    return [*turns, {"at": len(shape) - 1, "metres": 0, "type": "arrive", "text": "Φτάσατε στη στάση", "say": "Φτάσατε"}]


@pytest.fixture(scope="session")
def bins(register_file: Path) -> list[dict[str, Any]]:
    """The town's bins."""
    found: list[dict[str, Any]] = json.loads(register_file.read_text())["bins"]
    return found


@pytest.fixture(scope="module")
def routes(busy: Any, town_file: Path, bins: list[dict[str, Any]]) -> Routes:
    """Routes of truck-01; a driver with PIN and card is registered."""
    done = busy.run("driver", "add", DRIVER, "--pin", PIN, "--card", CARD)
    assert done.returncode == 0, done.stderr
    town = asty_town.read(town_file)
    depot = (bins[5]["lat"], bins[5]["lon"])
    return Routes(busy.dsn, bins, town.graph(), depot, service_day(datetime.now(UTC), ZoneInfo("Europe/Athens")))


@pytest.fixture
def ask(busy: Any) -> Callable[..., list[Any]]:
    """Return `ask(sql, *values)`: the rows that the server holds."""

    def rows(statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(busy.dsn, autocommit=True) as connection:
            return connection.execute(statement, list(values)).fetchall()  # type: ignore[call-overload, no-any-return]

    return rows


@dataclass
class Tablet:
    """A tablet without a screen: its cookies, and what it sends."""

    client: httpx.Client
    driver: str = ""
    day: str = ""

    def sign_in(self, **credentials: str) -> httpx.Response:
        answer = self.client.post("/api/cab/sign-in", json={"edge": "truck-01", **credentials})
        if answer.status_code == 200:
            self.driver = answer.json()["driver"]["id"]
        return answer

    def shift(self) -> dict[str, Any]:
        answer = self.client.get("/api/cab/shift")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def action(self, kind: str, **more: Any) -> dict[str, Any]:
        return {
            "key": str(uuid.uuid4()), "kind": kind, "at": iso(datetime.now(UTC)), "day": self.day, "edge": "truck-01",
            "driver": self.driver, "duty": None, **more,
        }  # fmt: skip

    def send(self, *actions: dict[str, Any]) -> list[tuple[str, str]]:
        answer = self.client.post("/api/cab/actions", json={"actions": list(actions)})
        assert answer.status_code == 200, answer.text
        return [(one["state"], one.get("why", "")) for one in answer.json()["answers"]]


@pytest.fixture
def tablet(web: Any, routes: Routes) -> Iterator[Tablet]:
    """A tablet at which nobody has signed in yet."""
    with httpx.Client(base_url=web.url, timeout=20) as client:
        yield Tablet(client, day=str(routes.day))
