"""`asty-edge run | check | inspect | enrol | renew | rehearse | wear`."""

import argparse
import asyncio
import json
import logging
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asty_edge import config as configuration
from asty_edge import logs
from asty_edge.config import Config, ConfigError
from asty_edge.outbox import Outbox, OutboxBusyError, OutboxStuckError, OutboxTooNewError, inspect
from asty_edge.rehearsal import command as rehearsal
from asty_edge.wear import command as wear

DONE, FAILED, WRONG = 0, 1, 2

_log = logging.getLogger("asty_edge")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; exits 0 when done, 1 when it failed, 2 when an operator has to change something."""
    sys.exit(_main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    if options.command == "rehearse":
        return rehearsal.run(options)
    if options.command == "wear":
        return wear.run(options)
    try:
        config = configuration.load(Path(options.config), enrolled=options.command not in ("enrol", "renew"))
        return {"run": _run, "check": _check, "inspect": _inspect, "enrol": _enrol, "renew": _renew}[options.command](config, options)
    except ConfigError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="asty-edge", description="The Asty agent on a refuse truck or a street gateway.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the agent until SIGTERM")
    run.add_argument("--log", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"], help="how much it says on stderr")
    check = commands.add_parser("check", help="check the configuration and every device's options, without opening anything")
    look = commands.add_parser("inspect", help="show what waits in the outbox; the agent may be running")
    look.add_argument("--json", action="store_true", help="as JSON, for programs")
    enrol = commands.add_parser("enrol", help="get this edge's certificate with a claim; waits until an officer approves")
    enrol.add_argument("--claim", required=True, metavar="FILE", help="the claim that `asty enrol claim` wrote")
    enrol.add_argument("--url", required=True, help="the town's server, https://…")
    renew = commands.add_parser("renew", help="exchange the certificate for a new one; the agent does so by itself")
    renew.add_argument("--due", action="store_true", help="only when a third of its life or less is left")
    renew.add_argument("--url", help="the town's server, when it has moved since the enrolment")
    for command in (run, check, look, enrol, renew):
        command.add_argument("--config", required=True, metavar="FILE", help="the edge's TOML file")
    rehearsal.add_arguments(
        commands.add_parser("rehearse", help="run many virtual edges with numbered records, for drills on a test stack")
    )
    wear.add_arguments(commands.add_parser("wear", help="measure what the outbox costs a disk, at a truck's rates"))
    return parser


def _run(config: Config, options: argparse.Namespace) -> int:
    # Drivers and the uplink are imported here, so that `inspect` on a small gateway costs little.
    from asty_edge.agent import Agent
    from asty_edge.fitting import fit
    from asty_edge.settings import read_supervision

    logs.to_stderr(options.log)
    fitted = fit(config)
    try:
        outbox = Outbox.open(Path(config.outbox.path), config.outbox.max_bytes)
    except (OutboxBusyError, OutboxStuckError, OutboxTooNewError) as error:
        _log.error("%s", error)
        return FAILED if isinstance(error, OutboxStuckError) else WRONG

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        agent = Agent(config, fitted, outbox, supervision=read_supervision())
        _log.info("edge %s of %s runs with %d devices; outbox epoch %s", config.edge.id, config.edge.org, len(fitted), outbox.epoch)
        await agent.run(stop)

    try:
        asyncio.run(until_told())
    except Exception:
        _log.exception("the agent broke; everything appended to the outbox is kept: start it again")
        return FAILED
    finally:
        outbox.close()
    _log.info("stopped; %d records wait in the outbox", _waiting(config))
    return DONE


def _waiting(config: Config) -> int:
    return int(inspect(Path(config.outbox.path))["held"])


def _check(config: Config, _options: argparse.Namespace) -> int:
    from asty_edge.fitting import fit

    fitted = fit(config)
    names = ", ".join(f"{one.settings.name} ({one.settings.driver})" for one in fitted) or "no devices"
    print(f"{config.file}: right: edge {config.edge.id} of {config.edge.org}, {names}")
    return DONE


def _enrol(config: Config, options: argparse.Namespace) -> int:
    from asty_edge.enrolment import commands

    return commands.enrol(config, options)


def _renew(config: Config, options: argparse.Namespace) -> int:
    from asty_edge.enrolment import commands

    return commands.renew(config, options)


def _inspect(config: Config, options: argparse.Namespace) -> int:
    try:
        report = {"edge": config.edge.id, **inspect(Path(config.outbox.path))}
    except (FileNotFoundError, sqlite3.DatabaseError) as error:
        print(f"{config.outbox.path}: {error}" if isinstance(error, sqlite3.Error) else error, file=sys.stderr)
        return FAILED
    print(json.dumps(report, ensure_ascii=False) if options.json else _for_people(report))
    return DONE


def _for_people(report: dict[str, Any]) -> str:
    oldest = f", oldest {_time(report['oldest'])}" if report["oldest"] else ""
    lines = [
        f"edge        {report['edge']}",
        f"epoch       {report['epoch']}",
        f"head        {report['head']}, acknowledged up to {report['acked']}, thinned {report['given_up']}",
        f"held        {report['held']} records, {report['bytes']} bytes{oldest}",
        *(f"              {kind:8}{count}" for kind, count in report["held_by_kind"].items()),
        f"waiting     {' '.join(f'{first}-{last}' for first, last in report['unacknowledged']) or 'nothing'}",
        *([f"refused     {' '.join(f'{s} ({kind})' for s, _, kind in report['refused'])}"] if report["refused"] else []),
        "last lifts" if report["last_lifts"] else "no lifts yet",
    ]
    for lift in report["last_lifts"]:
        flags = ", ".join(lift.get("flags", ()))
        lines.append(f"  {_time(lift['t'])}  {lift.get('tag') or 'no tag':18}{lift.get('net', '-')!s:>8} kg  {flags}".rstrip())
    return "\n".join(lines)


def _time(utc_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(utc_ms / 1000))


if __name__ == "__main__":
    main()
