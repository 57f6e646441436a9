"""`asty test` and `asty lint`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from asty_appliance import front
from asty_appliance.home import CHECKOUT
from asty_appliance.servers.mqtt import mosquitto
from asty_appliance.work import WorkFailedError, inherited

SPREAD = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder")


def test(arguments: tuple[str, ...], *, say: Callable[[str], None]) -> int:
    """Run pytest with what the tests need; return its exit code."""
    _fetch_debian_packages(say)
    try:
        say("building the pages" if front.build() else "the pages are built")
    except WorkFailedError as error:
        say(f"the pages could not be built, tests of pages will fail: {error}")
    spread = () if any(argument.startswith("-n") for argument in arguments) else SPREAD
    return _run("pytest", *spread, *arguments)


def lint(*, fix: bool, say: Callable[[str], None]) -> int:
    """Run ruff, mypy, import-linter and the check of the procedures; return 0 when all are clean."""
    steps = (
        ("ruff", "check", *(("--fix",) if fix else ()), "."),
        ("ruff", "format", *(() if fix else ("--check",)), "."),
        ("mypy",),
        ("lint-imports",),
        ("asty-citizen-services", "procedures", "check"),
    )
    failed = 0
    for step in steps:
        say(" ".join(step))
        failed |= _run(*step)
    return 1 if failed else 0


def _fetch_debian_packages(say: Callable[[str], None]) -> None:
    missing = [package for package, there in (("mosquitto", mosquitto()), ("chromium", shutil.which("chromium"))) if not there]
    if not missing:
        return
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        say(f"{' and '.join(missing)} not installed: their tests are skipped (apt-get install {' '.join(missing)} brings them)")
        return
    say(f"installing {' and '.join(missing)} from Debian")
    environment = inherited() | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]):
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            say(f"Debian's packages could not be installed: tests that need {' and '.join(missing)} are skipped")
            return


def _run(*command: str) -> int:
    path = Path(sys.executable).parent / command[0]
    return subprocess.run([str(path), *command[1:]], cwd=CHECKOUT, env=inherited(), check=False).returncode
