"""Running a server without root's rights."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

from asty_appliance.work import WorkFailedError

_NOBODY = 65534
_OF_ROOT = Path("/var/lib/asty")


def as_nobody(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command so that, started by root, it runs as `nobody`; unchanged for any other user.

    PostgreSQL refuses to run as root. The one capability that is left to it is to read and traverse folders, because a
    checkout may lie below a folder that only its owner may enter.
    """
    if os.geteuid() != 0:
        return command
    if not (setpriv := shutil.which("setpriv")):
        raise WorkFailedError(
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


def within_reach(base: Path, parts: tuple[str, ...], name: str) -> Path:
    """Return a folder with these parts of `base` that the user of `as_nobody` can enter; a copy below /var/lib/asty where he cannot.

    The capability to traverse does not help here: PostgreSQL asks `access()` about its own programs, which ignores it.
    """
    if os.geteuid() != 0 or all(folder.stat().st_mode & stat.S_IXOTH for folder in (base, *base.parents)):
        return base
    copy = _OF_ROOT / name
    if not copy.exists():
        _OF_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=_OF_ROOT, prefix=f"{name}-"))
        for part in parts:
            shutil.copytree(base / part, fresh / part, symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(copy)
        except OSError:  # another start was quicker
            shutil.rmtree(fresh)
    return copy
