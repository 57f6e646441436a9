"""Which programs make up a town on one machine, and how they are told of each other."""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from asty_appliance import civic
from asty_appliance.home import Home, choose_ports
from asty_appliance.program import HttpCheck, Program
from asty_appliance.security.door import Door
from asty_appliance.security.settings import Security
from asty_appliance.servers import kafka, mqtt, postgres, valhalla
from asty_appliance.supervision import Supervision
from asty_appliance.work import WorkFailedError, run_once

ORG = "demo"
FLEET = "cloud-api"
Progress = Callable[[str], None]
Steps = Sequence[tuple[tuple[str, ...], Mapping[str, str]]]
"""Commands in turn, each with its settings."""


@dataclass(frozen=True, slots=True)
class Town:
    """The servers and processes of one home, with their ports."""

    home: Home
    ports: dict[str, int]
    town_file: Path
    servers: tuple[Program, ...]
    processes: tuple[Program, ...]

    @property
    def programs(self) -> tuple[Program, ...]:
        return (*self.servers, *self.processes)

    def without(self, *processes: str) -> "Town":
        """Return the town less some processes."""
        return replace(self, processes=tuple(program for program in self.processes if program.name not in processes))

    @property
    def has_roads(self) -> bool:
        """Whether there is a map to drive on: a load or a drill runs without."""
        return any(program.name == "valhalla" for program in self.servers)

    @property
    def dsn(self) -> str:
        return postgres.dsn(self.home, self.ports["postgres"])

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.ports['cloud-api']}"

    @property
    def token_file(self) -> Path:
        """Where the appliance's own programs find the token with which they ask the fleet server."""
        return self.home.run / "fleet.token"


def executable(name: str) -> str:
    """Return the path of a program of this environment."""
    return str(Path(sys.executable).parent / name)


def settings(home: Home, ports: dict[str, int], town_file: Path) -> dict[str, str]:
    """Return the settings that the processes of this town share; each reads those it knows."""
    return {
        "ASTY_ORG": ORG,
        "ASTY_DATABASE_DSN": postgres.dsn(home, ports["postgres"]),
        "ASTY_KAFKA_BOOTSTRAP": f"127.0.0.1:{ports['kafka']}",
        "ASTY_MQTT_HOST": "127.0.0.1",
        "ASTY_MQTT_PORT": str(ports["mqtt"]),
        "ASTY_MQTT_PROTOCOL": mqtt.protocol(),
        "ASTY_INGEST_METRICS_PORT": str(ports["ingest-metrics"]),
        "ASTY_CLOUD_API_PORT": str(ports["cloud-api"]),
        "ASTY_TOWN_FILE": str(town_file),
        "ASTY_VALHALLA_URL": f"http://127.0.0.1:{ports['valhalla']}",
    }


def plan(home: Home, town_file: Path, ports: dict[str, int] | None = None, security: Security | None = None) -> Town:
    """Choose ports, prepare the servers' data and return the town's programs; nothing runs yet.

    In production the broker stands behind TLS and certificates. Raises PlainTextError, WorkFailedError.
    """
    home.make()
    ports = ports or choose_ports(home)
    door = Door(home, ORG, security.hosts) if security and security.production else None
    if door is not None:
        door.prepare(executable("asty-cloud-api"), postgres.dsn(home, ports["postgres"]))
    servers = (
        postgres.program(home, ports["postgres"]),
        mqtt.program(home, ports["mqtt"], door),
        kafka.program(home, ports["kafka"]),
        *((valhalla.program(home, ports["valhalla"]),) if town_file.exists() else ()),
    )
    environment = settings(home, ports, town_file)
    security = security or Security()
    of_citizens = civic.settings(home, ports, security)
    told = (door.of_programs(ports["mqtt"]) if door else {}) | dict.fromkeys(civic.PROCESSES, of_citizens)
    told[FLEET] = told.get(FLEET, {}) | dict(security.fleet) | ({"ASTY_PRODUCTION": "1"} if security.production else {})

    def process(name: str, *arguments: str, program: str = "", check: HttpCheck | None = None, address: str = "") -> Program:
        return Program(
            name=name,
            stage="process",
            command=(executable(f"asty-{program or name}"), *arguments),
            folder=str(home.data),
            environment=environment | told.get(name, {}),
            check=check,
            address=address,
        )

    web = f"http://127.0.0.1:{ports['cloud-api']}"
    health = f"http://127.0.0.1:{ports[civic.SERVER]}/health"
    processes: tuple[Program, ...] = (
        process("stream", "worker"),
        process("ingest", check=HttpCheck(f"http://127.0.0.1:{ports['ingest-metrics']}/health")),
        process("cloud-api", "serve", check=HttpCheck(f"{web}/health"), address=web),
        *((process("planner", "planner", program="cloud-api"),) if town_file.exists() else ()),
    )
    if civic.is_served(security):
        processes += (
            process(civic.SERVER, "serve", check=HttpCheck(health), address=civic.portal(ports)),
            process(civic.WORKER, "worker", program=civic.SERVER),
        )
    if civic.has_double(security):
        port = str(ports["taxisnet"])
        taxisnet = HttpCheck(f"http://127.0.0.1:{port}/health")
        processes += (process(civic.DOUBLE, "double", "taxisnet", "--port", port, program=civic.SERVER, check=taxisnet),)
    if civic.has_directory_double(security):
        port = str(ports["directory"])
        directory = HttpCheck(f"http://127.0.0.1:{port}/health")
        processes += (process(civic.DIRECTORY, "double", "directory", "--port", port, program=civic.SERVER, check=directory),)
    return Town(home, ports, town_file, servers, processes)


def bring_up(town: Town, supervision: Supervision, extra: tuple[Program, ...] = (), *, say: Progress) -> None:
    """Start servers, bring the schemas to their newest version, start the processes; each step waits for the one before.

    `extra` programs are made known to the supervisor but not started. Raises NotWellError, WorkFailedError.
    """
    if town.has_roads:
        valhalla.build(town.home, town.town_file, say)
    supervision.configure((*town.programs, *extra))
    supervision.launch()
    say(f"PostgreSQL, MQTT, Kafka{', Valhalla' if town.has_roads else ''} are starting")
    supervision.start(town.servers)
    postgres.create_database(town.home, town.ports["postgres"])
    say("bringing the database to its newest version")
    _bring_up_to_date(town)
    ready = [program for program in town.processes if program.name != FLEET or _has_way_in(program, say)]
    say(f"starting {', '.join(program.name for program in ready)}")
    supervision.start(ready)


def _bring_up_to_date(town: Town) -> None:
    """Bring each member's schema to its newest version, side by side: they share nothing but the database. Raises WorkFailedError."""
    environment = settings(town.home, town.ports, town.town_file)
    members: list[Steps] = [[((executable(name), "migrate"), environment)] for name in ("asty-stream", "asty-cloud-api")]
    for program in town.processes:
        if program.name == civic.SERVER:
            wanted: list[tuple[str, ...]] = [("migrate",), ("departments", "import")]
            if "ASTY_CITIZEN_TRUST" in program.environment and civic.DIRECTORY in {one.name for one in town.processes}:
                wanted.append(("demo-town", str(civic.signing(town.home))))
            members.append([((program.command[0], *arguments), program.environment) for arguments in wanted])

    def in_turn(steps: Steps) -> None:
        for command, settings_of_it in steps:
            run_once(command, settings_of_it)

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(in_turn, steps) for steps in members]:
            done.result()


def _has_way_in(program: Program, say: Progress) -> bool:
    """Whether the fleet's pages may start: in production somebody must be able to sign in, and nobody by what everybody knows."""
    if "ASTY_PRODUCTION" not in program.environment:
        return True
    try:
        run_once((program.command[0], "staff", "ready"), program.environment)
    except WorkFailedError as error:
        say(f"the fleet's pages are not started: {str(error).splitlines()[-1]}; here: ./asty staff …, then ./asty down and up")
        return False
    return True


def token(town: Town) -> str:
    """Return a token with which the appliance's own programs ask the fleet server; made once. Raises WorkFailedError."""
    if not town.token_file.exists():
        environment = settings(town.home, town.ports, town.town_file)
        said = ("staff", "token", "appliance", "--role", "dispatcher", "--out", str(town.token_file))
        run_once((executable("asty-cloud-api"), *said), environment)
    return town.token_file.read_text().strip()
