"""A town from an OpenStreetMap file: streets, paths, places, areas; and a generated town as such a file."""

from asty_town.generator import generate
from asty_town.geojson import areas_geojson, paths_geojson, places_geojson, streets_geojson
from asty_town.graph import NoRouteError, RoadGraph
from asty_town.model import Area, Path, Place, Street, Town
from asty_town.osm_file import TownFileError, read
from asty_town.plane import Plane

__all__ = [
    "Area",
    "NoRouteError",
    "Path",
    "Place",
    "Plane",
    "RoadGraph",
    "Street",
    "Town",
    "TownFileError",
    "areas_geojson",
    "generate",
    "paths_geojson",
    "places_geojson",
    "read",
    "streets_geojson",
]
