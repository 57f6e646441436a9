"""The peers that there are, and their installation into a place of their own: never among this project's dependencies."""

import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
from msgspec import Struct

from asty_appliance import front
from asty_appliance.work import inherited

HERE = Path(__file__).parent


class NotInstallableError(Exception):
    """A peer can't be had here: says why."""


class Peer(Struct, frozen=True):
    """One `peer.toml`: packages of PyPI or of npm, and the command that runs it. `place` names whose installation it shares.

    `columns` are what its table has beside those of every peer's. In `command` and `environment` these are filled in: {python}, {node},
    {here} (its folder), {place} (its installation), {data} (a folder of its own for this run), {port} (MQTT), {dsn}.
    """

    title: str
    about: str
    command: tuple[str, ...]
    python: tuple[str, ...] = ()
    node: tuple[str, ...] = ()
    place: str = ""
    columns: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    stop_signal: str = "TERM"
    name: str = ""


def peers() -> list[Peer]:
    """Return every peer, by name."""
    return [_read(path) for path in sorted(HERE.glob("*/peer.toml"))]


def place_of(peer: Peer, root: Path) -> Path:
    """Return the folder below `root` into which the peer is installed."""
    return root / (peer.place or peer.name)


def install(peer: Peer, root: Path) -> dict[str, str]:
    """Install the peer below `root` unless it is there, and return the versions of its packages. Raises NotInstallableError."""
    place = place_of(peer, root)
    if not (place / ".done").exists():
        place.mkdir(parents=True, exist_ok=True)
        for command in _commands(peer, place):
            done = subprocess.run(
                command, cwd=place, env=inherited() | _path(peer), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
            )
            if done.returncode:
                raise NotInstallableError((done.stderr.strip() or done.stdout.strip()).splitlines()[-1][:200])
        (place / ".done").touch()
    return {name: _version(peer, place, name) for name in map(bare, peer.python + peer.node)}


def command(peer: Peer, root: Path, data: Path, port: int, dsn: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the command and the environment that run the peer."""
    place = place_of(peer, root)
    words = {
        "python": str(place / "bin" / "python"),
        "node": str(front.node()),
        "here": str(HERE / peer.name),
        "place": str(place),
        "data": str(data),
        "port": str(port),
        "dsn": dsn,
    }
    return tuple(it.format(**words) for it in peer.command), {name: it.format(**words) for name, it in peer.environment.items()}


def _read(path: Path) -> Peer:
    peer = msgspec.convert(tomllib.loads(path.read_text()), Peer)
    return msgspec.structs.replace(peer, name=path.parent.name)


def _commands(peer: Peer, place: Path) -> list[tuple[str, ...]]:
    if peer.node:
        return [(*front.npm(), "install", "--no-audit", "--no-fund", "--ignore-scripts", *peer.node)]
    python = str(place / "bin" / "python")
    return [(sys.executable, "-m", "venv", str(place)), (python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *peer.python)]


def _path(peer: Peer) -> dict[str, str]:
    return {"PATH": f"{front.node().parent}:/usr/bin:/bin"} if peer.node else {}


def _version(peer: Peer, place: Path, package: str) -> str:
    if peer.node:
        text = (place / "node_modules" / package / "package.json").read_bytes()
        return str(msgspec.json.decode(text)["version"])
    question = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
    done = subprocess.run([place / "bin" / "python", "-c", question], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def bare(requirement: str) -> str:
    """Return the package that a requirement names."""
    for mark in "[<>=!~":
        requirement = requirement.split(mark)[0]
    return requirement
