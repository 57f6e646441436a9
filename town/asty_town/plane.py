"""A flat plane in metres around one point: exact to centimetres over the few kilometres of a town."""

from math import cos, radians

import numpy as np
from numpy.typing import NDArray

METRES_PER_DEGREE = 111_195.08
"""One degree of a meridian on the sphere of mean radius 6 371 008.8 m."""


class Plane:
    """x metres east and y metres north of (`lat`, `lon`)."""

    def __init__(self, lat: float, lon: float) -> None:
        self.lat = lat
        self.lon = lon
        self._east = METRES_PER_DEGREE * cos(radians(lat))

    def xy(self, lat: float, lon: float) -> tuple[float, float]:
        """Return metres (east, north)."""
        return (lon - self.lon) * self._east, (lat - self.lat) * METRES_PER_DEGREE

    def latlon(self, x: float, y: float) -> tuple[float, float]:
        """Return degrees (lat, lon)."""
        return self.lat + y / METRES_PER_DEGREE, self.lon + x / self._east

    def many_xy(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return metres of shape (n, 2) for `lonlat` of shape (n, 2), lon first."""
        metres: NDArray[np.float64] = (lonlat - np.array([self.lon, self.lat])) * np.array([self._east, METRES_PER_DEGREE])
        return metres
