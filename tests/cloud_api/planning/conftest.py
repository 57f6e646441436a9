"""Small towns for planning: a grid of streets, a garage at place 0, a transfer station at place 1."""

from collections.abc import Callable

import numpy as np
import pytest
from asty_cloud_api.planning.model import Day, Prices, Roads, Station, Stop, Truck, Window

SIX, ONE = 6 * 3600, 13 * 3600


def build_town(stops: int = 20, *, trucks: int = 2, seed: int = 1, musts: float = 0.5, side: float = 4000.0) -> Day:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, side, (stops + 2, 2))
    metres = np.abs(xy[:, None] - xy[None]).sum(-1)
    roads = Roads(np.ceil(metres / 7), metres)
    fill = rng.uniform(0.1, 1, stops)
    sites = tuple(
        Stop(f"b{i}", i + 2, round(110 * f), round(385 * f), 60, must=bool(f > 1 - musts), prize=round(float(4 * f), 2))
        for i, f in enumerate(fill)
    )
    crews = tuple(Truck(f"t{i}", 3000, 8000, Window(SIX, ONE), 0, 0, prices=Prices(30, 0.8, 0, 25), overtime=1800) for i in range(trucks))
    return Day(crews, sites, (Station("ts", 1),), {"truck": roads})


@pytest.fixture(scope="session")
def town() -> Callable[..., Day]:
    return build_town
