"""The machine under a measurement, in words."""

import platform
from pathlib import Path

import psutil


def describe() -> str:
    """Return cores, memory, processor, system and Python of this machine, and how busy it was before."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = psutil.virtual_memory().total / 2**30
    load = psutil.getloadavg()[0]
    words = (f"{psutil.cpu_count()} cores", f"{memory:.0f} GiB", model, platform.system(), f"Python {platform.python_version()}")
    return ", ".join((*words, f"load before {load:.1f}"))
