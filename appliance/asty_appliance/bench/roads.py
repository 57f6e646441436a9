"""`asty bench roads`: matrices of a town's file by a Valhalla and a PostgreSQL of their own."""

import shutil
from collections.abc import Callable
from pathlib import Path

from asty_appliance.bench.machine import describe
from asty_appliance.home import Home, choose_ports
from asty_appliance.servers import postgres, valhalla
from asty_appliance.supervision import Supervision
from asty_appliance.town import executable, plan, settings
from asty_appliance.work import run_once


def run(home: Home, town_file: Path | None, bins: tuple[int, ...], *, as_json: bool, say: Callable[[str], None]) -> str:
    """Measure, on the built-in town without a file, and return what `asty-cloud-api roads bench` printed.

    Raises NotWellError, WorkFailedError.
    """
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    if town_file is None:
        town_file = home.data / "town.osm.pbf"
        run_once((executable("asty-firmware-sim"), "town", "--out", str(town_file)))
    town = plan(home, town_file, choose_ports(home, preferred=False))
    servers = [program for program in town.servers if program.name in {"postgres", "valhalla"}]
    supervision = Supervision(home)
    environment = settings(home, town.ports, town_file)
    say(describe())
    try:
        valhalla.build(home, town_file, say)
        supervision.configure(servers)
        supervision.launch()
        supervision.start(servers)
        postgres.create_database(home, town.ports["postgres"])
        run_once((executable("asty-cloud-api"), "migrate"), environment)
        said = ("--json",) if as_json else ()
        command = (executable("asty-cloud-api"), "roads", "bench", str(town_file), *said, "--bins", *(str(size) for size in bins))
        return "".join(
            line for line in run_once(command, environment).splitlines(keepends=True) if line.startswith(("|", "[", " ", "{", "]"))
        )
    finally:
        if supervision.is_running():
            supervision.shut_down()
