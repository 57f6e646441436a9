"""Commands that run once and must succeed."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


class WorkFailedError(Exception):
    """Something that must succeed did not; says what, and what to do or what was printed last."""


def inherited() -> dict[str, str]:
    """Return the environment of this process without Asty's own settings, so that a leftover one cannot leak into a town."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ASTY_")}  # noqa: TID251


def run_once(command: tuple[str, ...], environment: Mapping[str, str] | None = None, *, folder: Path | None = None) -> str:
    """Run a command to its end and return what it printed. Raises WorkFailedError."""
    done = subprocess.run(
        command,
        env=inherited() | dict(environment or {}),
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise WorkFailedError(f"{Path(command[0]).name} {' '.join(command[1:])} ended with {done.returncode}:\n{tail}")
    return done.stdout
