"""Running a server without root's rights."""

import os
import shutil
from pathlib import Path

_NOBODY = 65534


def as_nobody(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command so that, started by root, it runs as `nobody`; unchanged for any other user.

    PostgreSQL refuses to run as root. The one capability that is left to it is to read and traverse folders, because a
    checkout may lie below a folder that only its owner may enter.
    """
    if os.geteuid() != 0:
        return command
    if not (setpriv := shutil.which("setpriv")):
        raise RuntimeError(
            "PostgreSQL does not run as root and setpriv (package util-linux) is missing: install it, or run as another user"
        )
    drop = (
        "--reuid=nobody",
        "--regid=nogroup",
        "--clear-groups",
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=-all,+dac_read_search",
    )
    return (setpriv, *drop, *command)


def give_to_nobody(folder: Path) -> None:
    """Make the folder and give it to the user that `as_nobody` runs as."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, -1)
        folder.chmod(0o700)
