"""The layers of the map, made once from the town's OpenStreetMap file and kept in the database."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from asty_town import Town, areas_geojson, paths_geojson, places_geojson, read, streets_geojson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_cloud_api import database
from asty_cloud_api.fleet.models import TownLayer

LAYERS = ("streets", "areas", "places")


@dataclass(frozen=True, slots=True)
class Layer:
    """Gzipped GeoJSON with its entity tag."""

    geojson_gz: bytes
    etag: str


def remember(session: Session, path: Path) -> bool:
    """Draw the layers from the file unless they were drawn from the same bytes; tell whether that was needed.

    Raises asty_town.TownFileError, OSError.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = set(session.scalars(select(TownLayer.name).where(TownLayer.digest == digest)))
    if known == set(LAYERS):
        return False
    statement = insert(TownLayer)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={name: statement.excluded[name] for name in ("digest", "geojson_gz", "made")}
        ),
        [
            {"name": name, "digest": digest, "geojson_gz": gzip.compress(msgspec.json.encode(collection), mtime=0)}
            for name, collection in draw(read(path)).items()
        ],
    )
    return True


def draw(town: Town) -> dict[str, dict[str, Any]]:
    """Return the layers as GeoJSON: streets (with paths; `layer` tells them apart), areas, places."""
    streets = [_with(feature, layer="street") for feature in streets_geojson(town)["features"]]
    paths = [_with(feature, layer="path") for feature in paths_geojson(town)["features"]]
    return {
        "streets": _collection(paths + streets),
        "areas": _collection([_with(feature) for feature in areas_geojson(town)["features"]]),
        "places": _collection([_with(feature) for feature in places_geojson(town)["features"]]),
    }


def _with(feature: dict[str, Any], **more: str) -> dict[str, Any]:
    # an absent name is absent: a map's style asks whether a feature has one
    properties = {name: value for name, value in feature["properties"].items() if value is not None} | more
    return {**feature, "properties": properties}


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}


def remember_file(dsn: str, path: Path) -> bool:
    """Keep the map's layers of a town file in the database; tell whether they were new. Raises TownFileError, SQLAlchemyError."""
    engine = database.writing(dsn)
    try:
        with Session(engine) as session, session.begin():
            return remember(session, path)
    finally:
        engine.dispose()
