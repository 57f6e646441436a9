"""A day on the road: two trucks with routes of the town's bins, half done, one missed, one unplanned; a plan that waits for a decision."""

import asyncio
import json
import math
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from asty_cloud_api.database import changing
from asty_cloud_api.dispatch.planner import Habits, Planner
from asty_cloud_api.fleet.plans import service_day
from asty_cloud_api.planner_process import TownWays
from asty_cloud_api.planning.stop import Iterations
from asty_cloud_api.roads.service import Roads
from asty_contracts.records import Position
from psycopg.types.json import Jsonb

ATHENS = ZoneInfo("Europe/Athens")
DEPOT = (39.36, 22.95)
PACE = 5.0
ROUNDS = 300


def seen(now: datetime) -> dict[str, Any]:
    return {"seen": now - timedelta(minutes=50), "accepted": now - timedelta(minutes=49), "accepted_by": "Νίκος Π."}


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot((b[1] - a[1]) * math.cos(math.radians(a[0])), b[0] - a[0]) * 111_320


def a_route(bins: list[dict[str, Any]], begins: datetime, service: int = 60) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return stops and path in the shape of fleet.route: the bins in their order, a station, the garage."""
    calls = [("bin", one["id"], (one["lat"], one["lon"]), one) for one in bins]
    calls += [("station", "station", (DEPOT[0] + 0.004, DEPOT[1] + 0.006), {}), ("garage", "garage", DEPOT, {})]
    at, here, stops, path = begins, DEPOT, [], []
    for n, (kind, name, place, one) in enumerate(calls, 1):
        way = metres(here, place) * 1.3
        at += timedelta(seconds=way / PACE)
        stop = {"n": n, "kind": kind, "id": name, "lat": place[0], "lon": place[1], "street": one.get("street"), "eta": iso(at)}
        stop |= {"service_s": service, "kg": 80, "litres": 1100, "stream": one.get("stream"), "must": n % 5 == 0, "why": "expected full"}
        stops.append(stop)
        corner = [place[1], here[0]]
        path.append(
            {"to": n, "metres": way, "seconds": way / PACE, "shape": [[here[1], here[0]], corner, [place[1], place[0]]], "turns": []}
        )
        at, here = at + timedelta(seconds=service), place
    return stops, path


@dataclass
class Town:
    """`day` is the service day; `put` writes rows of schema fleet, each a mapping of its columns."""

    dsn: str
    day: date
    bins: dict[str, dict[str, Any]]
    plan: uuid.UUID

    def put(self, table: str, **row: Any) -> None:
        values = [Jsonb(v) if isinstance(v, dict | list) else v for v in row.values()]
        sql = f"INSERT INTO fleet.{table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})"
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(sql, values)  # type: ignore[call-overload]

    def run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            done = connection.execute(sql, values)  # type: ignore[call-overload]
            return done.fetchall() if done.description else []

    def notify(self, what: str = "route") -> None:
        self.run("SELECT pg_notify('fleet', %s)", json.dumps({"what": what}))


def tour(bins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order bins by the nearest next, so that a picture of it looks like a route."""
    left, here, found = list(bins), DEPOT, []
    while left:
        left.sort(key=lambda one: metres(here, (one["lat"], one["lon"])))
        found.append(left.pop(0))
        here = (found[-1]["lat"], found[-1]["lon"])
    return found


@pytest.fixture(scope="module")
def town(busy: Any, register_file: Any, lift_of: Any) -> Town:
    """Seed the day. The busy town has lifted Κ-001 (118 kg) and Κ-003 (no weight) today; both are on truck-01's route."""
    bins = {one["id"]: one for one in json.loads(register_file.read_text())["bins"]}
    now = datetime.now(UTC)
    seeded = Town(busy.dsn, service_day(now, ATHENS), bins, uuid.uuid4())
    figures = {"metres": 21_400.0, "seconds": 14_000, "kg": 2400, "stops": 30, "left_out": 2, "cost": 160.0}
    left_out = [{"what": "stop", "id": "Κ-040", "reason": "not_worth", "params": {"prize": 0.8}, "why": "it can wait"}]
    # fmt: off
    explained = {
        "yesterday": {"metres": -1800, "seconds": -1300, "cost": -14.2, "stops": -3, "kg": -200},
        "every_bin": {"metres": -8200, "seconds": -7000, "cost": -61.0, "stops": -10, "kg": -700},
        "fixed_routes": {
            "metres": -9900, "seconds": -7200, "cost": -70.5, "stops": -14, "kg": -820, "no_truck": ["truck-09"],
            "there": [{"truck": "truck-01", "stops": 44, "metres": 31_300, "seconds": 21_600, "kg": 3220, "passed_over": ["Κ-900"]}],
        },
        "chosen": [{
            "id": "Κ-001", "truck": "truck-01", "must": False, "prize": 9.5,
            "detour_cost": 1.25, "detour_metres": 640, "detour_seconds": 180,
        }],
        "not_chosen": [{
            "what": "stop", "id": "Κ-040", "reason": "not_worth", "params": {"prize": 0.8}, "why": "it can wait",
            "prize": 0.8, "cheapest": 3.4,
            "trucks": [
                {"truck": "truck-01", "code": "costs", "why": "it would cost 3.40 EUR more", "cost": 3.4},
                {"truck": "truck-02", "code": "no_stream", "why": "it does not take this stream", "cost": None},
            ],
        }],
        "rules": [{"rule": "shift", "saved": 4.2, "more_stops": 1, "more_musts": 0}],
    }
    # fmt: on
    result = {"plan": {"left_out": left_out}, "explained": explained}
    first = {"kind": "first_plan", "subject": str(seeded.day), "said_by": "planner"}
    seeded.put(
        "plan", id=seeded.plan, day=seeded.day, version=1, state="running", made=now - timedelta(hours=2), made_by="planner",
        reasons=[first], figures=figures, problem={}, result=result,
    )  # fmt: skip
    names = sorted(bins)
    west = tour([bins[name] for name in names if bins[name]["stream"] == "σύμμεικτα" and int(name[2:]) <= 24])
    west.sort(key=lambda one: one["id"] not in ("Κ-001", "Κ-003"))  # what was lifted comes first
    east = tour([bins[name] for name in names if int(name[2:]) > 24 and name != "Κ-040"])
    for edge, own, begins in (("truck-01", west, now - timedelta(minutes=12)), ("truck-02", east, now - timedelta(minutes=55))):
        stops, path = a_route(own, begins)
        seeded.put(
            "route", edge=edge, day=seeded.day, version=1, plan=seeded.plan, made=now - timedelta(hours=2), stops=stops, path=path,
            figures={"metres": sum(leg["metres"] for leg in path)}, delivered=now - timedelta(hours=1),
            **(seen(now) if edge == "truck-02" else {}),
        )  # fmt: skip
    for number, one in enumerate(east[:8]):
        missed = number == 3
        seeded.put(
            "stop_outcome", key=uuid.uuid4(), day=seeded.day, edge="truck-02", stop=one["id"], outcome="missed" if missed else "lifted",
            reason="no_access" if missed else None, said_by="driver", at=now - timedelta(minutes=46 - 5 * number),
            kg=None if missed else 60.0 + number, route_version=1, note="σταθμευμένο όχημα" if missed else None,
        )  # fmt: skip
    at = east[7]
    t = int(now.timestamp() * 1000)
    busy.put("truck-02", (t, Position(lat=at["lat"], lon=at["lon"], v=4.0, course=120.0)))
    busy.put("truck-02", (t - 60_000, lift_of(bins["Κ-040"]["tag"], t - 60_000, 44.0)))
    return seeded


@pytest.fixture(scope="module")
def planned_town(busy: Any, register_file: Path, roads_url: str) -> Town:
    """The town with a plan of the real planner on real roads, made 85 minutes ago; each truck has done a part of its route."""
    busy.environment["ASTY_VALHALLA_URL"] = roads_url
    now = datetime.now(UTC)
    began = now - timedelta(minutes=85)
    bins = {one["id"]: one for one in json.loads(register_file.read_text())["bins"]}
    town = Town(busy.dsn, service_day(began, ATHENS), bins, uuid.uuid4())
    town.run("UPDATE fleet.vehicle SET capacity_l = 16000, shift_start = %s, shift_end = %s", *(
        f"{at.astimezone(ATHENS):%H:%M}" for at in (began, began + timedelta(hours=3))
    ))  # fmt: skip
    town.put("place", kind="transfer_station", name="Σταθμός μεταφόρτωσης", lat=bins["Κ-040"]["lat"], lon=bins["Κ-040"]["lon"])
    # forty bins of seven minutes are more than one truck can do in three hours and one of overtime, however well it is planned
    town.run("UPDATE fleet.bin SET must = true, service_s = 420, stream = 'residual'")
    with ThreadPoolExecutor(1) as other:  # Playwright keeps a loop running in this thread
        other.submit(lambda: asyncio.run(plan(busy.dsn, roads_url, began))).result()
    for edge, by, late in (("truck-01", "Μαρία Κ.", 2), ("truck-02", "Νίκος Π.", 14)):
        ((stops,),) = town.run("SELECT stops FROM fleet.route WHERE edge = %s AND day = %s", edge, town.day)
        done = [one for one in stops if one["kind"] == "bin" and datetime.fromisoformat(one["eta"]) + timedelta(minutes=late + 5) < now]
        for number, one in enumerate(done):
            missed = number == 5 and edge == "truck-02"
            town.put(
                "stop_outcome", key=uuid.uuid4(), day=town.day, edge=edge, stop=one["id"], outcome="missed" if missed else "lifted",
                reason="no_access" if missed else None, said_by="driver", kg=None if missed else 58.0 + 7 * number % 60,
                at=datetime.fromisoformat(one["eta"]) + timedelta(minutes=4 + late * (number + 1) / len(done)), route_version=1,
            )  # fmt: skip
        told = [began + timedelta(minutes=n) for n in (1, 2, 3)]
        town.run("UPDATE fleet.route SET delivered = %s, seen = %s, accepted = %s, accepted_by = %s WHERE edge = %s", *told, by, edge)
        if done:
            t = int(now.timestamp() * 1000)
            busy.put(edge, (t, Position(lat=done[-1]["lat"] + 0.0004, lon=done[-1]["lon"], v=5.0, course=40.0)))
        busy.up(edge, True)
    return town


async def plan(dsn: str, roads_url: str, at: datetime) -> None:
    """Plan by rounds, so that a slow machine plans the same."""
    engine = changing(dsn)
    roads = Roads.at(roads_url, dsn)
    planner = Planner(engine, TownWays(roads), ATHENS, Habits(plan_at="23:59"), now=lambda: at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asty_cloud_api.dispatch.planner.Budget", lambda _cpu, _wall, _say=None: Iterations(ROUNDS))
        await planner.plan_days()
    await roads.close()
    await engine.dispose()
