"""The town as GeoJSON FeatureCollections (RFC 7946) for maps."""

from typing import Any

from asty_town.model import Town


def streets_geojson(town: Town) -> dict[str, Any]:
    """Return each street as a LineString with `id`, `name`, `highway`, `oneway`, `drivable`."""
    return _collection(
        _feature(
            "LineString",
            street.line,
            {
                "id": street.osm_id,
                "name": street.name,
                "highway": street.highway,
                "oneway": street.oneway,
                "drivable": street.drivable,
            },
        )
        for street in town.streets
    )


def paths_geojson(town: Town) -> dict[str, Any]:
    """Return each path as a LineString with `id`, `name`, `kind`."""
    return _collection(_feature("LineString", path.line, {"id": path.osm_id, "name": path.name, "kind": path.kind}) for path in town.paths)


def areas_geojson(town: Town) -> dict[str, Any]:
    """Return each area as a Polygon with `id`, `name`, `kind` (sea, land, water, park, square, beach, sport, building)."""
    return _collection(_feature("Polygon", [area.ring], {"id": area.osm_id, "name": area.name, "kind": area.kind}) for area in town.areas)


def places_geojson(town: Town) -> dict[str, Any]:
    """Return each place as a Point with `id`, `name`, `kind`."""
    return _collection(
        _feature("Point", (place.lon, place.lat), {"id": place.osm_id, "name": place.name, "kind": place.kind}) for place in town.places
    )


def _feature(shape: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": shape, "coordinates": coordinates}, "properties": properties}


def _collection(features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}
