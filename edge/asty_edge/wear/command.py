"""`asty-edge wear`: the command."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import msgspec

from asty_edge.config import OutboxSettings
from asty_edge.outbox import OutboxStuckError
from asty_edge.wear.measure import Room, Wear, measure_room, measure_wear


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--folder", required=True, metavar="DIR", help="on the disk in question; a file is made there and removed")
    parser.add_argument("--records", type=int, default=20_000, help="how many are stored, one commit each, to count what the disk takes")
    parser.add_argument("--days", type=float, default=7.0, help="without a network; 0 leaves this part out")
    parser.add_argument("--max-bytes", type=int, default=OutboxSettings().max_bytes, help="the budget, as [outbox] max_bytes")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """Measure and say; 1 when the disk or the system does not let it be measured."""
    try:
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="wear-") as name:
            folder = Path(name)
            offline = measure_wear(folder / "offline.db", options.records, acknowledged=False)
            online = measure_wear(folder / "online.db", options.records, acknowledged=True)
            room = measure_room(folder / "room.db", options.days, options.max_bytes) if options.days else None
    except (OSError, OutboxStuckError) as error:
        sys.stderr.write(f"asty-edge wear: {error}; nothing is left behind: choose a folder on a local disk with room\n")
        return 1
    if offline.written < offline.data:
        sys.stderr.write(f"asty-edge wear: {options.folder} is no disk (in memory?): Linux counts {offline.written} bytes written\n")
        return 1
    if options.json:
        said = json.dumps({"offline": _figures(offline), "online": _figures(online), "room": msgspec.to_builtins(room)})
    else:
        said = "\n".join([_line("offline", offline), _line("online", online), *([_room(room)] if room else [])])
    sys.stdout.write(said + "\n")
    return 0


def _figures(wear: Wear) -> dict[str, float]:
    return {**msgspec.to_builtins(wear), "per_record": round(wear.per_record), "per_day": round(wear.per_day)}


def _line(name: str, wear: Wear) -> str:
    return (
        f"{name:9}{wear.records} records in {wear.commits} commits: {wear.per_record:,.0f} bytes written each "
        f"(its own data {wear.data / wear.records:,.0f}), {wear.per_day / 1e6:,.0f} MB a day"
    )


def _room(room: Room) -> str:
    return (
        f"room     {room.days:g} days offline: {room.records} records, {room.bytes / 1e6:,.0f} MB of {room.budget / 1e6:,.0f} MB, "
        f"{room.thinned} positions thinned, file and log at most {room.file / 1e6:,.0f} MB"
    )
