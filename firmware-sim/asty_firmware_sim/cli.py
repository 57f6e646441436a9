"""The command `asty-firmware-sim`: run, prepare, town."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from asty_town import TownFileError, generate, read

from asty_firmware_sim.clock import TownClock, utc_ms
from asty_firmware_sim.edges import Broker, EdgePlace, places, write_files
from asty_firmware_sim.orders import Orders
from asty_firmware_sim.scenario import ScenarioError, load
from asty_firmware_sim.simulator import Simulator, kept_counters
from asty_firmware_sim.world import World

OK, OPERATOR_NEEDED = 0, 2


def main() -> None:
    """Run the command line; exit status 2 needs an operator: the message says what to do."""
    arguments = parser().parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s level=%(levelname)s %(name)s %(message)s")
    logging.getLogger("pymodbus.logging").setLevel(logging.WARNING)
    try:
        sys.exit(arguments.work(arguments))
    except (ScenarioError, TownFileError, OSError) as error:
        print(f"asty-firmware-sim: {error}", file=sys.stderr)
        sys.exit(OPERATOR_NEEDED)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; `work` of its result is the function to run."""
    root = argparse.ArgumentParser(prog="asty-firmware-sim", description="The devices of trucks, gateways and vests, and their town.")
    commands = root.add_subparsers(required=True, metavar="command")
    for name, work, about in (
        ("run", _run, "simulate until SIGTERM, or for some seconds"),
        ("prepare", _prepare, "only write the configuration of every edge and the register"),
    ):
        command = commands.add_parser(name, help=about)
        command.set_defaults(work=work)
        _add_common(command)
    commands.choices["run"].add_argument(
        "--wait", type=_seconds, default=20.0, metavar="SECONDS", help="so long a truck stays parked until its agent listens"
    )
    commands.choices["run"].add_argument(
        "--orders-from", metavar="URL", help="the fleet server: trucks follow its routes; without an answer they make their own rounds"
    )
    commands.choices["run"].add_argument(
        "--orders-token", type=Path, metavar="FILE", help="holds the token that the fleet server wants of a program"
    )
    commands.choices["run"].add_argument("--for", dest="seconds", type=_seconds, help="stop after so many real seconds")
    town = commands.add_parser("town", help="write the built-in town as an OpenStreetMap file")
    town.add_argument("--out", type=Path, required=True, metavar="FILE", help="a path that ends in .osm.pbf")
    town.set_defaults(work=_town)
    return root


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folder", type=Path, required=True, metavar="DIR", help="where everything is written")
    command.add_argument("--mqtt-host", default="127.0.0.1")
    command.add_argument("--mqtt-port", type=int, default=1883)
    command.add_argument("--mqtt-protocol", choices=("3.1.1", "5"), default="3.1.1")
    command.add_argument("--mqtt-encoding", choices=("json", "cbor"), default="json", help="cbor needs protocol 5")
    command.add_argument("--mqtt-ca", type=Path, metavar="FILE", help="certificate authority of a broker with TLS (PEM)")
    command.add_argument("--mqtt-certs", type=Path, metavar="DIR", help="holds <edge>.crt and <edge>.key for each edge (PEM)")
    command.add_argument("--org", default="demo")
    command.add_argument("--scenario", default="demo", help="a built-in scenario or a TOML file")
    command.add_argument("--town", type=Path, metavar="FILE", help="an OpenStreetMap extract; otherwise the built-in town")
    command.add_argument("--trucks", type=int, metavar="N", help="so many trucks, made after the scenario's own")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--speed", type=_speed, default=1.0, help="how much faster town time runs until it meets now")
    command.add_argument("--lead", type=_seconds, default=0.0, metavar="SECONDS", help="how far behind now town time begins")


def _seconds(text: str) -> float:
    if not 0 <= (value := float(text)) < 1e8:
        raise argparse.ArgumentTypeError(f"{text}: expected seconds, not negative")
    return value


def _speed(text: str) -> float:
    if not 1 <= (value := float(text)) <= 1000:
        raise argparse.ArgumentTypeError(f"{text}: expected a number from 1 to 1000")
    return value


def _prepared(arguments: argparse.Namespace) -> tuple[World, dict[str, EdgePlace], TownClock]:
    """Read or write everything in the folder; the town goes on where an earlier run in it has stopped."""
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    scenario = load(arguments.scenario, trucks=arguments.trucks)
    town_file = arguments.town.resolve() if arguments.town else folder / "town.osm.pbf"
    if not arguments.town and not town_file.is_file():
        generate(town_file)
    kept = kept_counters(folder)
    start = utc_ms() - round(arguments.lead * 1000)
    start = max(start, kept["now"]) if kept else start
    clock = TownClock(start, arguments.speed)
    world = World(read(town_file), scenario, arguments.seed, clock.now())
    if kept:
        world.remember(kept)
    found = places(folder, scenario)
    broker = Broker(
        host=arguments.mqtt_host,
        port=arguments.mqtt_port,
        org=arguments.org,
        protocol=arguments.mqtt_protocol,
        encoding=arguments.mqtt_encoding,
        ca=arguments.mqtt_ca.resolve() if arguments.mqtt_ca else None,
        certs=arguments.mqtt_certs.resolve() if arguments.mqtt_certs else None,
    )
    write_files(folder, found, world, town_file, broker)
    return world, found, clock


def _prepare(arguments: argparse.Namespace) -> int:
    _, found, _ = _prepared(arguments)
    for place in found.values():
        print(place.folder / "edge.toml")
    return OK


def _run(arguments: argparse.Namespace) -> int:
    world, found, _ = _prepared(arguments)
    # reading the town took a while: the clock begins when the world does
    clock = TownClock(world.now, arguments.speed)
    trucks = [spec.edge for spec in world.scenario.truck]
    orders = Orders(arguments.orders_from, trucks, world.follow, arguments.orders_token) if arguments.orders_from else None
    simulator = Simulator(arguments.folder.resolve(), world, found, clock, patience=arguments.wait, orders=orders)
    asyncio.run(_until_stopped(simulator, arguments.seconds))
    return OK


async def _until_stopped(simulator: Simulator, seconds: float | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    await simulator.run(stop)


def _town(arguments: argparse.Namespace) -> int:
    if not arguments.out.name.endswith((".osm.pbf", ".pbf")):
        print(f"asty-firmware-sim: {arguments.out}: expected a name that ends in .osm.pbf", file=sys.stderr)
        return OPERATOR_NEEDED
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    generate(arguments.out)
    print(arguments.out)
    return OK
