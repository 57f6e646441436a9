"""Where a truck stops, and what drives there: in the terms that Valhalla takes."""

from dataclasses import dataclass, replace
from typing import Any

SNAP_METRES = 60
"""A bin farther from any street that the truck may use has no way to it."""
NARROWEST = "service_other"
"""Up to this class, which is every street, the truck comes along the bin's own kerb: the crew does not cross, and since the truck also
leaves that way, what lies before and after a stop does not hang on where the truck came from."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point in WGS 84 degrees. With `kerb` the street is driven on the point's own side; without, from either."""

    lat: float
    lon: float
    kerb: bool = True

    @property
    def key(self) -> str:
        """The place's name in the cache: moved by a centimetre it is the same, by a metre another."""
        return f"{self.lat:.6f},{self.lon:.6f}{',side' if self.kerb else ''}"

    def anyway(self) -> "Place":
        """Return the point as one that is driven from either side."""
        return replace(self, kerb=False)

    def location(self) -> dict[str, Any]:
        """Return the point as a location of Valhalla. Islands are not skipped: a bin on one has no way to it."""
        said: dict[str, Any] = {"lat": round(self.lat, 6), "lon": round(self.lon, 6)}
        said |= {"minimum_reachability": 0, "search_cutoff": SNAP_METRES, "node_snap_tolerance": 0, "rank_candidates": False}
        if self.kerb:
            said |= {"preferred_side": "same", "street_side_tolerance": 1, "street_side_cutoff": NARROWEST}
        return said


@dataclass(frozen=True, slots=True)
class Profile:
    """What decides which streets a truck may use; the defaults are a three-axle refuse truck's."""

    weight_t: float = 26.0
    height_m: float = 3.8
    width_m: float = 2.55
    length_m: float = 10.0

    @classmethod
    def of(cls, weight_t: float | None, height_m: float | None, width_m: float | None, length_m: float | None) -> "Profile":
        """Return the profile of a vehicle of the register; what that does not say is taken to be a large refuse truck's."""
        large = cls()
        return cls(weight_t or large.weight_t, height_m or large.height_m, width_m or large.width_m, length_m or large.length_m)

    @property
    def key(self) -> str:
        """The profile's name: trucks of the same size share a matrix."""
        return f"truck {self.weight_t:g} t {self.height_m:g} x {self.width_m:g} x {self.length_m:g} m"

    def costing(self) -> dict[str, Any]:
        """Return the costing of a request. Refuse is collected in small streets: they carry no penalty."""
        truck = {"weight": self.weight_t, "height": self.height_m, "width": self.width_m, "length": self.length_m}
        truck |= {"low_class_penalty": 0, "use_living_streets": 0.5, "service_penalty": 0}
        return {"costing": "truck", "costing_options": {"truck": truck}}
