"""`asty bench replan`: from a trigger raised over HTTP to the route that a tablet can fetch, on a stack of its own."""

import http.client
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from asty_appliance.bench.machine import describe
from asty_appliance.home import Home, choose_ports
from asty_appliance.supervision import Supervision
from asty_appliance.town import Town, bring_up, executable, plan, settings, token
from asty_appliance.work import WorkFailedError, run_once

TRUCKS = 8
"""The simulated town has 40 bins for each: 320."""
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One trigger: seconds from the request to the commit that stored its answer, and what the answer was."""

    kind: str
    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to; `first_plan` seconds until the day had its plan."""

    machine: str
    bins: int
    first_plan: float
    p50: float
    p99: float
    answers: tuple[Answered, ...]

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)

    def as_table(self) -> str:
        lines = [f"{one.kind:14} {one.seconds:6.2f} s  {one.why}" for one in self.answers]
        return "\n".join([*lines, f"{self.bins} bins, {len(self.answers)} triggers: p50 {self.p50:.2f} s, p99 {self.p99:.2f} s"])


def run(home: Home, triggers: int, *, say: Callable[[str], None]) -> Figures:
    """Start the servers, cloud-api and planner, plan a day, raise triggers one after the other. Raises NotWellError, WorkFailedError."""
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    town_file = home.data / "town.osm.pbf"
    run_once((executable("asty-firmware-sim"), "town", "--out", str(town_file)))
    whole = plan(home, town_file, choose_ports(home, preferred=False))
    town = whole.without(*(program.name for program in whole.processes if program.name not in {"cloud-api", "planner"}))
    folder = home.data / "simulation"
    prepare = ("prepare", "--folder", str(folder), "--town", str(town_file), "--trucks", str(TRUCKS))
    run_once((executable("asty-firmware-sim"), *prepare))
    supervision = Supervision(home)
    machine = describe()
    say(machine)
    try:
        bring_up(town, supervision, say=say)
        with psycopg.connect(town.dsn, autocommit=True) as connection:
            connection.execute("LISTEN fleet")
            register = ("register", "import", str(folder / "register.json"))
            run_once((executable("asty-cloud-api"), *register), settings(home, town.ports, town_file))
            began = time.monotonic()
            heard = _heard(connection)
            _wait(heard, what="plan", state="running")
            first = time.monotonic() - began
            say(f"the day is planned, {first:.1f} s after the register")
            answers = tuple(_raise(town, connection, heard, body) for body in _bodies(connection, triggers))
            bins = connection.execute("SELECT count(*) FROM fleet.bin").fetchone()
        seconds = sorted(one.seconds for one in answers)
        p50, p99 = seconds[len(seconds) // 2], seconds[min(len(seconds) - 1, int(0.99 * len(seconds)))]
        return Figures(machine, int(bins[0]) if bins else 0, round(first, 2), p50, p99, answers)
    finally:
        if supervision.is_running():
            supervision.shut_down()


def _bodies(connection: psycopg.Connection[Any], count: int) -> Iterator[dict[str, Any]]:
    """Skips of stops ahead, places to visit besides, a full truck and a breakdown, each made when it is its turn."""
    for number in range(count):
        edge = f"truck-{1 + number % TRUCKS:02d}"
        if number == count // 2:
            yield {"kind": "breakdown", "subject": "truck-01", "said_by": "driver"}
        elif number % 4 == 1:
            yield {
                "kind": "must_visit", "subject": f"place-{number}", "said_by": "dispatcher",
                "detail": {"lat": 39.3595 + number * 2e-4, "lon": 22.946 + number * 4e-4, "kg": 40, "litres": 300},
            }  # fmt: skip
        else:
            row = connection.execute(
                "SELECT s ->> 'id' FROM (SELECT stops FROM fleet.route WHERE edge = %s ORDER BY day DESC, version DESC LIMIT 1) AS r"
                " CROSS JOIN LATERAL jsonb_array_elements(r.stops) AS s WHERE s ->> 'kind' = 'bin' ORDER BY (s ->> 'n')::int DESC LIMIT 1",
                [edge],
            ).fetchone()
            yield {"kind": "skip", "subject": row[0] if row else edge, "said_by": "driver", "detail": {"reason": "no_access", "edge": edge}}


def _raise(town: Town, connection: psycopg.Connection[Any], heard: Iterator[dict[str, Any]], body: dict[str, Any]) -> Answered:
    name = str(uuid.uuid4())
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token(town)}"}
    began = time.monotonic()
    request = http.client.HTTPConnection("127.0.0.1", town.ports["cloud-api"], timeout=10)
    request.request("POST", "/api/plan-triggers", json.dumps(body | {"id": name}), headers)
    answer = request.getresponse()
    if answer.status != 202:
        raise WorkFailedError(f"cloud-api answered {answer.status} to a trigger: {answer.read().decode(errors='replace')}")
    request.close()
    said = _wait(heard, what="trigger", id=name, state=("answered", "ignored"))
    seconds = round(time.monotonic() - began, 3)
    row = connection.execute("SELECT why FROM fleet.plan_trigger WHERE id = %s", [said["id"]]).fetchone()
    return Answered(body["kind"], seconds, row[0] if row else "")


def _heard(connection: psycopg.Connection[Any]) -> Iterator[dict[str, Any]]:
    """Yield the news of channel `fleet`; ends when there was none for a long time."""
    waited = time.monotonic()
    while time.monotonic() - waited < PATIENCE:
        for notice in list(connection.notifies(timeout=1, stop_after=1)):
            waited = time.monotonic()
            yield json.loads(notice.payload)


def _wait(heard: Iterator[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    for said in heard:
        if all(said.get(key) in (value if isinstance(value, tuple) else (value,)) for key, value in wanted.items()):
            return said
    raise WorkFailedError(f"the planner said nothing for {PATIENCE:.0f} s; its log is planner.log")
