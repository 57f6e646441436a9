"""What OSM tags mean here. Values as in the OpenStreetMap wiki's Map Features."""

from typing import Literal

Tags = dict[str, str]

_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "service", "road")
DRIVABLE = frozenset((*_ROADS, *(f"{road}_link" for road in _ROADS[:5])))
_NOT_FOR_VEHICLES = frozenset({"no", "private"})
_KERB_WIDE_SERVICE = frozenset({"parking_aisle", "drive-through", "emergency_access"})
_PATHS: dict[str, Literal["foot", "cycle", "steps"]] = {
    "footway": "foot",
    "path": "foot",
    "cycleway": "cycle",
    "steps": "steps",
    "corridor": "foot",
}
_AMENITIES = frozenset(
    {
        "archive", "bicycle_parking", "bus_station", "charging_station", "clinic", "community_centre", "courthouse", "doctors",
        "drinking_water", "ferry_terminal", "fire_station", "hospital", "kindergarten", "library", "marketplace", "parking", "pharmacy",
        "place_of_worship", "police", "post_office", "recycling", "school", "social_facility", "taxi", "theatre", "toilets", "townhall",
        "university", "waste_transfer_station",
    }
)  # fmt: skip


def street_class(tags: Tags) -> tuple[str, bool] | None:
    """Return (highway class, drivable), or None when the way is no street."""
    highway = tags.get("highway")
    if highway is None or tags.get("area") == "yes":
        return None
    if highway == "pedestrian":
        return highway, False
    if highway not in DRIVABLE:
        return None
    closed = any(tags.get(key) in _NOT_FOR_VEHICLES for key in ("access", "vehicle", "motor_vehicle", "motorcar", "hgv"))
    return highway, not closed and tags.get("service") not in _KERB_WIDE_SERVICE


def path_kind(tags: Tags) -> Literal["foot", "cycle", "steps"] | None:
    """Return foot, cycle or steps, or None when the way is no path."""
    if tags.get("area") == "yes":
        return None
    if tags.get("highway") == "path" and tags.get("bicycle") == "designated":
        return "cycle"
    return _PATHS.get(tags.get("highway", ""))


def oneway(tags: Tags) -> Literal[-1, 0, 1]:
    """Return 1 along the way, -1 against it, 0 for both; roundabouts and motorways are one-way unless they say no."""
    value = tags.get("oneway")
    if value in ("yes", "true", "1"):
        return 1
    if value in ("-1", "reverse"):
        return -1
    if value is None and (tags.get("junction") in ("roundabout", "circular") or tags.get("highway") in ("motorway", "motorway_link")):
        return 1
    return 0


def maxspeed(tags: Tags) -> float | None:
    """Return km/h; None when absent, in words or in another unit."""
    text = tags.get("maxspeed", "")
    return float(text) if text.isascii() and text.isdigit() and 0 < int(text) < 200 else None


def hint(tags: Tags, *keys: str) -> str | None:
    """Return the value of the first of these keys that the way has."""
    return next((tags[key] for key in keys if key in tags), None)


def place_kind(tags: Tags) -> str | None:
    """Return the kind of place: an amenity's value, bus_stop, depot, citizens_office, marina; None for anything else."""
    if tags.get("amenity") in _AMENITIES:
        return tags["amenity"]
    if tags.get("highway") == "bus_stop":
        return "bus_stop"
    if tags.get("landuse") == "depot" or tags.get("industrial") == "depot":
        return "depot"
    if tags.get("office") == "government":
        return "citizens_office" if tags.get("government") == "public_service" else "government"
    if tags.get("leisure") == "marina":
        return "marina"
    return None


def area_kind(tags: Tags) -> Literal["water", "park", "square", "beach", "sport", "building"] | None:
    """Return how the map draws a closed way; None when it doesn't."""
    if tags.get("building", "no") != "no":
        return "building"
    if tags.get("natural") == "water":
        return "water"
    if tags.get("natural") == "beach":
        return "beach"
    if tags.get("highway") == "pedestrian" or tags.get("place") == "square":
        return "square" if tags.get("area") == "yes" or tags.get("place") == "square" else None
    if tags.get("leisure") in ("pitch", "track", "sports_centre", "stadium"):
        return "sport"
    if tags.get("leisure") in ("park", "garden", "playground") or tags.get("landuse") in ("grass", "forest", "recreation_ground"):
        return "park"
    return "park" if tags.get("natural") in ("wood", "scrub") else None
