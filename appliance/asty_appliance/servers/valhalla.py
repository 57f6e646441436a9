"""Valhalla, the roads: tiles built from the town's OpenStreetMap file, served from the pyvalhalla wheel's own executable."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from valhalla.config import get_config

from asty_appliance.home import Home
from asty_appliance.program import HttpCheck, Program
from asty_appliance.unprivileged import as_nobody, give_to_nobody
from asty_appliance.work import WorkFailedError, inherited

THREADS = 2
_TRUCK = {"max_locations": 1_000, "max_matrix_location_pairs": 4_000_000, "max_matrix_distance": 400_000.0}
_LIMITS = {"max_exclude_polygons_length": 200_000, "max_exclude_polygons_vertices": 5_000}


_COUNTRY = """\
<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
<node id="1" version="1" lat="34" lon="19"/><node id="2" version="1" lat="34" lon="30"/>
<node id="3" version="1" lat="42" lon="30"/><node id="4" version="1" lat="42" lon="19"/>
<way id="1" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/></way>
<relation id="1" version="1"><member type="way" ref="1" role="outer"/><tag k="type" v="boundary"/><tag k="boundary" v="administrative"/>
<tag k="admin_level" v="2"/><tag k="name" v="Ελλάδα"/><tag k="name:en" v="Greece"/><tag k="ISO3166-1" v="GR"/></relation>
</osm>
"""
# A town's extract says nothing of its country, and without one Valhalla drives on the left: wrong kerbs, wrong roundabout exits.


def binary(name: str) -> str:
    """Return the path of an executable inside the wheel; the scripts beside Python only wrap it in a second process."""
    spec = find_spec("valhalla")
    if spec is None or spec.origin is None:
        raise WorkFailedError("the pyvalhalla wheel is missing: run ./asty again")
    path = Path(spec.origin).parent / "bin" / name
    if not path.exists():
        raise WorkFailedError(
            f"this platform's pyvalhalla wheel carries no {name}: set ASTY_VALHALLA_URL to a Valhalla that runs elsewhere"
        )
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return str(path)


def configuration(tiles: Path, port: int) -> dict[str, Any]:
    """Return Valhalla's configuration.

    A town is small: without levels and shortcuts every search is exact, and one Dijkstra per row is the fastest matrix. Its sockets
    are relative, to the program's folder: a unix socket's path is short.
    """
    tiles.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = deepcopy(get_config(tile_extract="", tile_dir=tiles))
    config["logging"] = {"type": "std_out", "color": False}
    config["mjolnir"] |= {"hierarchy": False, "shortcuts": False, "timezone": "", "landmarks": "", "concurrency": THREADS}
    config["mjolnir"] |= {"admin": str(tiles.parent / "country.sqlite"), "traffic_extract": "", "transit_dir": "", "transit_feeds_dir": ""}
    config["additional_data"]["elevation"] = ""
    for room in ("loki", "thor", "odin", "meili"):
        config[room]["service"]["proxy"] = f"ipc://{room}"
    config["thor"]["source_to_target_algorithm"] = "timedistancematrix"
    config["httpd"]["service"] |= {"listen": f"tcp://127.0.0.1:{port}", "loopback": "ipc://loopback", "interrupt": "ipc://interrupt"}
    config["httpd"]["service"] |= {"drain_seconds": 1, "shutdown_seconds": 1}
    config["service_limits"]["truck"] |= _TRUCK
    config["service_limits"] |= _LIMITS
    return config


def program(home: Home, port: int) -> Program:
    """Write the server's configuration and return its program; `build` makes the tiles that it serves."""
    folder = home.data / "valhalla"
    give_to_nobody(folder)
    (folder / "valhalla.json").write_text(json.dumps(configuration(folder / "tiles", port), indent=2))
    address = f"http://127.0.0.1:{port}"
    return Program(
        name="valhalla",
        stage="server",
        command=as_nobody((binary("valhalla_service"), str(folder / "valhalla.json"), str(THREADS))),
        folder=str(folder),
        check=HttpCheck(f"{address}/status"),
        address=address,
    )


def build(home: Home, town_file: Path, say: Callable[[str], None]) -> bool:
    """Build the tiles unless they were built from the same bytes by the same Valhalla; tell whether that was needed.

    What served before is kept until the new tiles are whole. Raises WorkFailedError, with what is wrong with the file.
    """
    folder = home.data / "valhalla"
    give_to_nobody(folder)
    stamp, fresh, tiles = folder / "tiles.json", folder / "tiles.new", folder / "tiles"
    made_from = {"file": _digest(town_file), "valhalla": version("pyvalhalla")}
    if stamp.exists() and tiles.exists() and json.loads(stamp.read_text()) == made_from:
        return False
    say(f"building the roads from {town_file.name} ({town_file.stat().st_size / 1e6:.1f} MB)")
    shutil.rmtree(fresh, ignore_errors=True)
    config = folder / "build.json"
    config.write_text(json.dumps(configuration(fresh, 0)))
    country = folder / "country.osm"
    country.write_text(_COUNTRY)
    (folder / "country.sqlite").unlink(missing_ok=True)
    _run((binary("valhalla_build_admins"), "-c", str(config), str(country)), folder, town_file)
    _run((binary("valhalla_build_tiles"), "-c", str(config), str(town_file)), folder, town_file)
    if not any(fresh.rglob("*.gph")):
        raise WorkFailedError(f"{town_file} holds no street: no roads were built{_kept(stamp)}; take another extract")
    stamp.unlink(missing_ok=True)
    shutil.rmtree(tiles, ignore_errors=True)
    fresh.rename(tiles)
    stamp.write_text(json.dumps(made_from))
    return True


def _run(command: tuple[str, ...], folder: Path, town_file: Path) -> None:
    log = folder / "build.log"
    with log.open("wb") as out:
        done = subprocess.run(
            command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder, env=inherited(), check=False
        )
    if done.returncode:
        raise WorkFailedError(
            f"no roads can be built from {town_file}: {_complaint(log.read_text(errors='replace'))}{_kept(folder / 'tiles.json')}; "
            f"take a whole extract in .osm.pbf (the log is {log})"
        )


def _complaint(log: str) -> str:
    """Return what Valhalla said last of the file, in words where its own say nothing to an operator."""
    if "edge_shapes.bin" in log:
        return "it holds no street"
    said = [line.split("what():", 1)[1].strip() for line in log.splitlines() if "what():" in line]
    return said[-1] if said else (log.strip().splitlines() or ["Valhalla said nothing"])[-1]


def _kept(stamp: Path) -> str:
    return "; the roads of before are kept" if stamp.exists() else ""


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WorkFailedError(f"the town's file {path} can't be read: {error.strerror}; no roads were built") from error
