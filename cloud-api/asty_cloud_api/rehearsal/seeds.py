"""Several seeds, next to each other where cores are free, else one after the other."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from asty_town import Town, read

from asty_cloud_api.rehearsal.month import Month, Wanted, rehearse


def free_cores() -> int:
    """Cores that nobody has used in the last minute, at least one."""
    return max(1, (os.cpu_count() or 1) - round(os.getloadavg()[0]))


def rehearse_all(town_file: Path, wanted: Wanted, seeds: Sequence[int], cores: int, *, say: Callable[[str], None]) -> tuple[Month, ...]:
    """Rehearse every seed. `say` must be a function of a module. Raises TownFileError, NoRouteError, OSError."""
    town = read(town_file)
    if min(cores, len(seeds)) < 2:
        return tuple(rehearse(town, wanted, seed, say=say) for seed in seeds)
    with ProcessPoolExecutor(min(cores, len(seeds)), mp_context=get_context("spawn")) as pool:
        return tuple(pool.map(partial(_one, town, wanted, say), seeds))


def _one(town: Town, wanted: Wanted, say: Callable[[str], None], seed: int) -> Month:
    return rehearse(town, wanted, seed, say=say)
