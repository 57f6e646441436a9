"""The simulated town beside the appliance: its devices, its truth, and an unmodified edge agent for each truck and gateway."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asty_appliance.program import FileCheck, Program
from asty_appliance.servers import mqtt
from asty_appliance.town import ORG, Town, executable
from asty_appliance.work import run_once


@dataclass(frozen=True, slots=True)
class Simulation:
    """The programs of a prepared simulation."""

    folder: Path
    simulator: Program
    edges: tuple[Program, ...]

    @property
    def programs(self) -> tuple[Program, ...]:
        return (self.simulator, *self.edges)

    @property
    def register(self) -> Path:
        return self.folder / "register.json"

    @property
    def fixed_routes(self) -> Path:
        return self.folder / "fixed-routes.csv"


def prepare(
    town: Town, *, seed: int = 1, speed: float = 5.0, lead: float = 300.0, trucks: int | None = None, orders: bool = False
) -> Simulation:
    """Write the simulation's files and return its programs.

    `speed` is how much faster the town's clock runs until it has caught up the `lead` (seconds) by which it starts behind now.
    With `orders` the trucks follow the routes that the town's planner makes.
    """
    folder = town.home.data / "simulation"
    arguments = (
        *("--folder", str(folder), "--mqtt-host", "127.0.0.1", "--mqtt-port", str(town.ports["mqtt"]), "--org", ORG),
        *(
            "--mqtt-protocol",
            mqtt.protocol(),
            "--seed",
            str(seed),
            "--speed",
            str(speed),
            "--lead",
            str(lead),
            "--town",
            str(town.town_file),
        ),
        *(("--trucks", str(trucks)) if trucks is not None else ()),
    )
    run_once((executable("asty-firmware-sim"), "prepare", *arguments))
    simulator = Program(
        name="firmware-sim",
        stage="simulation",
        command=(
            executable("asty-firmware-sim"),
            "run",
            *arguments,
            *(("--orders-from", town.web, "--orders-token", str(town.token_file)) if orders else ()),
        ),
        folder=str(folder),
        check=FileCheck(str(folder / "ready")),
        stop_seconds=15,
    )
    edges = tuple(_edge(path) for path in sorted(folder.glob("edges/*/edge.toml")))
    return Simulation(folder, simulator, edges)


def config_of(edge: Program) -> Path:
    """Return the configuration file of an edge's program."""
    return Path(edge.folder) / "edge.toml"


def inspect(edge: Program) -> dict[str, Any]:
    """Return what `asty-edge inspect --json` says of an edge's outbox: epoch, head, acked, held, …"""
    answer: dict[str, Any] = json.loads(run_once((executable("asty-edge"), "inspect", "--config", str(config_of(edge)), "--json")))
    return answer


def _edge(config: Path) -> Program:
    lines = (config.parent / "env").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if line.strip())
    return Program(
        name=config.parent.name,
        stage="simulation",
        command=(executable("asty-edge"), "run", "--config", str(config)),
        folder=str(config.parent),
        environment=environment,
    )
