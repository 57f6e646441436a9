"""How the machine below the agent is, from Linux's /proc and the file system."""

import os
from pathlib import Path


def resident_bytes() -> int | None:
    """Return this process's resident memory; None where /proc is not Linux's."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def free_bytes(folder: Path) -> int | None:
    """Return what this user may still write to the folder's file system."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize
