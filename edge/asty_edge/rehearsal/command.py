"""`asty-edge rehearse`: the command."""

import argparse
import asyncio
import logging
from pathlib import Path

from asty_edge import logs

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--folder", required=True, metavar="DIR", help="outboxes, truth files and controls.json lie there")
    parser.add_argument("--edges", type=int, default=10, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the number of the first: names are drill-001, drill-002, …")
    parser.add_argument("--rate", type=float, default=10.0, help="records a second, of each edge")
    parser.add_argument("--seconds", type=float, help="end by itself after so long; without it, on SIGTERM")
    parser.add_argument("--org", required=True)
    parser.add_argument("--host", default="127.0.0.1", help="of the broker")
    parser.add_argument("--port", type=int, required=True, help="of the broker")
    parser.add_argument("--protocol", choices=["3.1.1", "5"], default="3.1.1", help="MQTT version; with 5 every second edge packs CBOR")
    parser.add_argument("--log", default="WARNING", choices=["DEBUG", "INFO", "WARNING", "ERROR"], help="how much it says on stderr")


def run(options: argparse.Namespace) -> int:
    """Rehearse; 0 after an orderly end, 1 when an edge broke."""
    # The agent is imported here, so that the other commands on a small gateway cost little.
    from asty_edge.rehearsal.fleet import Orders, rehearse

    logs.to_stderr(options.log)
    names = ("org", "host", "port", "protocol", "edges", "first", "rate", "seconds")
    orders = Orders(Path(options.folder).resolve(), **{name: getattr(options, name) for name in names})
    try:
        asyncio.run(rehearse(orders))
    except Exception:
        _log.exception("a virtual edge broke; everything appended is kept: start again")
        return 1
    return 0
