"""`asty`: the one command of a town."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from asty_appliance import demo as demonstration
from asty_appliance import front, rehearsal
from asty_appliance.bench import ingest as ingest_bench
from asty_appliance.bench import load as load_bench
from asty_appliance.bench import replan as replan_bench
from asty_appliance.bench import roads as roads_bench
from asty_appliance.bench import web as web_bench
from asty_appliance.bench.peers import contest
from asty_appliance.checks import lint as run_lint
from asty_appliance.checks import test as run_tests
from asty_appliance.drill import run as drilling
from asty_appliance.home import CHECKOUT, Home
from asty_appliance.security import commands as security
from asty_appliance.security import settings as security_settings
from asty_appliance.security.mosquitto import PlainTextError
from asty_appliance.servers import valhalla
from asty_appliance.supervision import NotRunningError, NotWellError, Supervision
from asty_appliance.town import bring_up, executable, plan
from asty_appliance.work import WorkFailedError, inherited, run_once

_BEGAN = time.monotonic()


def _say(text: str) -> None:
    click.echo(f"[{time.monotonic() - _BEGAN:6.1f} s] {text}")


def _fail(text: str) -> NoReturn:
    click.echo(f"asty: {text}", err=True)
    sys.exit(1)


def _home(name: str) -> Home:
    base: Path = click.get_current_context().find_root().params["home"]
    return Home(base.resolve() / name)


class _Seconds(click.ParamType):
    """90, 90s, 5m or 1h."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        factor = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
        try:
            return float(text[:-1]) * factor if factor else float(text)
        except ValueError:
            self.fail(f"{text!r} is no duration: write 90s, 5m or 1h", param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=CHECKOUT / ".asty",
    help="Where data, logs and secrets lie. [default: .asty in the checkout]",
)
def cli(home: Path) -> None:
    """Asty: a municipality runs on its own data."""


@cli.command()
@click.option("--for", "seconds", type=_Seconds(), help="End by itself after this long (60s, 5m). Without it: until Ctrl-C.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was produced, stored, doubled, missing as JSON."
)
@click.option("--seed", default=1, show_default=True, help="Another seed, another day.")
@click.option("--speed", default=5.0, show_default=True, help="How much faster than time the first minutes run.")
def demo(seconds: float | None, report: Path | None, seed: int, speed: float) -> None:
    """A simulated town on real protocols through the whole system; exits 0 only if nothing was lost or doubled."""
    home = _home("demo")
    if Supervision(home).is_running():
        _fail("a demo is running already: end it with Ctrl-C where it was started, or with ./asty down --demo")
    try:
        result = demonstration.run(home, seconds=seconds, seed=seed, speed=speed, say=_say)
    except (NotWellError, WorkFailedError) as error:
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    if report:
        demonstration.write(result, report)
    names = ("produced", "stored", "doubled", "missing", "thinned", "held")
    _say(", ".join(f"{name} {result.total(name)}" for name in names) + f", lifts {len(result.lifts)}, refused {result.refused}")
    _say(str(result.truth))
    if (made := result.plan) is not None:
        _say(f"plan version {made.version}: {made.planned} stops planned, {made.served} served, {made.left_out} left out with their reason")
    if not result.nothing_lost_or_doubled:
        _fail(f"records were lost or doubled: see the report and the logs in {home.logs}")


@cli.command()
def up() -> None:
    """Start the appliance: servers, ingest, stream, cloud-api, citizen-services, supervised. Its data survives restarts."""
    home = _home("town")
    supervision = Supervision(home)
    if supervision.is_running():
        _fail("the appliance is running already: ./asty status shows it, ./asty down stops it")
    home.make()
    try:
        _say("building the pages" if front.build() else "the pages are built")
        town = plan(home, _town_file(home), security=security_settings.read())
        bring_up(town, supervision, say=_say)
    except (NotWellError, PlainTextError, security_settings.SecuritySettingsError, WorkFailedError) as error:
        if supervision.is_running():
            supervision.shut_down()
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    for program in town.programs:
        if program.address:
            click.echo(f"  {program.name:<10} {program.address}")


@cli.command()
@click.option("--demo", "of_demo", is_flag=True, help="Stop the demo instead of the appliance.")
def down(of_demo: bool) -> None:
    """Stop the appliance, processes before servers."""
    try:
        Supervision(_home("demo" if of_demo else "town")).shut_down()
    except NotRunningError:
        _say("nothing is running")


@cli.command()
@click.option("--json", "as_json", is_flag=True)
@click.option("--demo", "of_demo", is_flag=True, help="Show the demo instead of the appliance.")
def status(as_json: bool, of_demo: bool) -> None:
    """Name every process, its health and its address; exits 1 when one is not well, 3 when nothing runs."""
    home = _home("demo" if of_demo else "town")
    try:
        conditions = Supervision(home).conditions()
    except NotRunningError:
        click.echo("[]" if as_json else "nothing is running: ./asty up starts the appliance")
        sys.exit(3)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(conditions), indent=2).decode())
    else:
        for it in conditions:
            mark = "well" if it.well else "NOT WELL"
            click.echo(f"{it.name:<14} {mark:<9} {it.state:<9} pid {it.pid:<7} {it.seconds:>6} s  {it.address}{it.says}")
    sys.exit(0 if all(condition.well for condition in conditions) else 1)


@cli.group()
def city() -> None:
    """The town's map."""


@city.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def city_import(file: Path) -> None:
    """Take a real town's roads, paths and places from an OpenStreetMap file (.osm.pbf)."""
    home = _home("town")
    home.make()
    try:
        click.echo(run_once((executable("asty-cloud-api"), "town", "check", str(file))).strip())
    except WorkFailedError as error:
        _fail(str(error))
    runs = Supervision(home).is_running()
    if not runs:  # a server that runs keeps its tiles until the next start
        try:
            valhalla.build(home, file, _say)
        except WorkFailedError as error:
            _fail(str(error))
    shutil.copyfile(file, home.data / "town.osm.pbf")
    _say("the map is in place" + ("; ./asty down and ./asty up show it" if runs else "; ./asty up shows it"))


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def edge(arguments: tuple[str, ...]) -> None:
    """The edge agent: run, check, inspect (asty edge run --config FILE)."""
    os.execv(executable("asty-edge"), ["asty-edge", *arguments])  # noqa: S606 the agent takes this process over


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def procedures(arguments: tuple[str, ...]) -> None:
    """The citizens' procedures: new SLUG makes a folder, check says what is wrong in one."""
    home = _home("town")
    home.make()
    environment = inherited() | {"ASTY_CITIZEN_PROCEDURES": str(home.procedures)} | dict(security_settings.read().citizens)
    program = executable("asty-citizen-services")
    os.execve(program, ["asty-citizen-services", "procedures", *arguments], environment)  # noqa: S606 it takes this process over


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """All tests that this machine can run; says what it skipped and why. Arguments go to pytest."""
    sys.exit(run_tests(arguments, say=_say))


@cli.command()
@click.option("--fix", is_flag=True, help="Format and mend what can be mended by itself.")
def lint(fix: bool) -> None:
    """ruff, mypy --strict, import-linter, the procedures' folders."""
    sys.exit(run_lint(fix=fix, say=_say))


@cli.command()
@click.option("--seed", default=1, show_default=True, help="Another seed, another schedule; the same seed, the same.")
@click.option("--minutes", default=2.0, show_default=True, help="How long faults go on.")
@click.option("--edges", default=40, show_default=True, type=click.IntRange(min=2), help="Virtual edges.")
@click.option("--records", type=click.IntRange(min=1), help="Records that the edges are to make in that time. [default: 10 a second each]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and what happens meanwhile on stderr.")
def drill(seed: int, minutes: float, edges: int, records: int | None, as_json: bool) -> None:
    """Faults by seed on a test stack of its own: kill, freeze, wipe, cut, lie; exits 0 only if nothing is lost, doubled or altered."""
    home = _home("drill")
    if Supervision(home).is_running():
        _fail("a drill is running already: end it with Ctrl-C where it was started")
    rate = records / (minutes * 60) if records else 10.0 * edges
    say = (lambda text: click.echo(text, err=True)) if as_json else _say
    try:
        result = drilling.run(home, drilling.Orders(seed, minutes * 60, edges, rate), say=say)
    except (NotWellError, WorkFailedError) as error:
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    click.echo(result.as_json() if as_json else result.as_text())
    if not result.count.nothing_lost_or_doubled:
        _fail(f"records were lost, doubled or altered: outboxes, truth and logs are kept in {home.root}")


@cli.group()
def bench() -> None:
    """The benchmarks; never part of the tests, since machines are noisy."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is stopped


@bench.command("ingest")
@click.option("--json", "as_json", is_flag=True)
@click.option("--quick", is_flag=True, help="A twentieth of the readings: shows that it runs, measures little.")
def bench_ingest(as_json: bool, quick: bool) -> None:
    """Packs of 1, 20 and 100 readings from the broker to stored rows, beside plain COPY into the same table."""
    home = _home("bench")
    sizes = {per_pack: readings // (20 if quick else 1) for per_pack, readings in ingest_bench.SIZES.items()}
    try:
        result = ingest_bench.run(home, sizes, say=lambda text: click.echo(text, err=True))
    except (NotWellError, WorkFailedError, TimeoutError) as error:
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode() if as_json else ingest_bench.as_table(result))


@bench.command("load")
@click.option("--json", "as_json", is_flag=True)
@click.option("--plot", is_flag=True, help="Write the figures and their picture to docs/benchmarks/load.json and load.svg.")
@click.option("--minutes", default=5.0, show_default=True, help="How long the steady load lasts.")
@click.option("--edges", default=500, show_default=True, help="Virtual edges.")
@click.option("--rate", type=float, help="Readings per second of all edges together. [default: 80 % of what a ramp finds to be carried]")
@click.option("--returning", default=20, show_default=True, help="Trucks that come home with a backlog.")
@click.option("--hours", default=72.0, show_default=True, help="How long they were away.")
def bench_load(as_json: bool, plot: bool, minutes: float, edges: int, rate: float | None, returning: int, hours: float) -> None:
    """Many edges for minutes, a broker that dies, a backlog of days: how late rows and alarms are meanwhile."""
    home = _home("bench-load")
    wanted = load_bench.Wanted(edges, rate, minutes, returning, hours)
    try:
        result, picture = load_bench.run(home, wanted, say=lambda text: click.echo(text, err=True))
    except (NotWellError, WorkFailedError, RuntimeError) as error:
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    text = msgspec.json.format(msgspec.json.encode(result), indent=2).decode()
    if plot:
        folder = CHECKOUT / "docs" / "benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "load.json").write_text(text + "\n")
        (folder / "load.svg").write_text(picture)
    click.echo(text if as_json else load_bench.as_table(result))
    if result.books.lost or result.books.doubled:
        _fail(f"records were lost or doubled: the logs are kept in {home.logs}")


@bench.command("roads")
@click.option("--json", "as_json", is_flag=True)
@click.option(
    "--bins", multiple=True, type=click.IntRange(min=2), default=(300, 1000), show_default=True, help="How many; may be repeated."
)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def bench_roads(as_json: bool, bins: tuple[int, ...], file: Path | None) -> None:
    """Travel-time matrices of a town's FILE (.osm.pbf): the first, from the cache, with a new bin, after a closure."""
    home = _home("bench-roads")
    try:
        result = roads_bench.run(home, file and file.resolve(), bins, as_json=as_json, say=lambda text: click.echo(text, err=True))
    except (NotWellError, WorkFailedError) as error:
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    click.echo(result, nl=False)


@bench.command("replan")
@click.option("--json", "as_json", is_flag=True)
@click.option("--triggers", default=20, show_default=True, type=click.IntRange(min=1), help="How many, one after the other.")
def bench_replan(as_json: bool, triggers: int) -> None:
    """From a plan trigger to the stored route version, on 320 bins and 8 trucks, with Kafka, PostgreSQL and Valhalla."""
    home = _home("bench-replan")
    try:
        result = replan_bench.run(home, triggers, say=lambda text: click.echo(text, err=True))
    except (NotWellError, WorkFailedError) as error:
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    click.echo(result.as_json() if as_json else result.as_table())


@bench.command("web")
@click.option("--json", "as_json", is_flag=True)
@click.option("--pages", default=200.0, show_default=True, help="Pages per second.")
@click.option("--filings", default=20.0, show_default=True, help="Applications per second.")
@click.option("--seconds", default=30.0, show_default=True, help="How long each of them lasts.")
def bench_web(as_json: bool, pages: float, filings: float, seconds: float) -> None:
    """The citizens' pages under load, filing with its protocol number, a signed PDF, the weight of the catalogue."""
    home = _home("bench-web")
    wanted = web_bench.Wanted(pages, filings, seconds)
    try:
        result = web_bench.run(home, wanted, say=lambda text: click.echo(text, err=True))
    except (NotWellError, WorkFailedError) as error:
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode() if as_json else web_bench.as_table(result))


@bench.command("peers")
@click.option("--json", "as_json", is_flag=True)
@click.option("--quick", is_flag=True, help="A twentieth of the readings: shows that it runs, measures little.")
@click.option("--save", is_flag=True, help="Write the result to docs/benchmarks/peers.json.")
@click.argument("names", nargs=-1)
def bench_peers(as_json: bool, quick: bool, save: bool, names: tuple[str, ...]) -> None:
    """Asty beside other ways from MQTT to PostgreSQL, installed into .asty/peers: speed, and what a kill or a lost database costs.

    NAMES choose among asty and the folders of asty_appliance/bench/peers; without one, all.
    """
    home = _home("bench-peers")
    part = 20 if quick else 1
    sizes = {per_pack: readings // part for per_pack, readings in contest.SIZES.items()}
    places = _home("peers").root
    try:
        result = contest.run(home, places, names, sizes, contest.FLOOD // part, say=lambda text: click.echo(text, err=True))
    except (NotWellError, WorkFailedError) as error:
        _fail(f"{error}\nThe logs are kept in {home.logs}.")
    text = msgspec.json.format(msgspec.json.encode(result), indent=2).decode()
    if save:
        folder = CHECKOUT / "docs" / "benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "peers.json").write_text(text + "\n")
    click.echo(text if as_json else contest.as_table(result))


def _town_file(home: Home) -> Path:
    path = home.data / "town.osm.pbf"
    if not path.exists():
        run_once((executable("asty-firmware-sim"), "town", "--out", str(path)))
    return path


cli.add_command(security.enrol)
cli.add_command(security.staff)
cli.add_command(security.broker)
cli.add_command(rehearsal.simulate)
cli.add_command(rehearsal.forecast)
bench.add_command(rehearsal.bench_plan)


def main() -> None:
    cli(prog_name="asty")
