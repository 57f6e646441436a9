"""Read a town from an OpenStreetMap file (PBF, or what else osmium reads by the file's name)."""

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import cast

import numpy as np
import osmium

from asty_town.coast import sea_and_islands
from asty_town.model import Area, Crossing, Path, Place, Street, Town
from asty_town.tags import Tags, area_kind, hint, maxspeed, oneway, path_kind, place_kind, street_class

_WAY_KEYS = ("highway", "natural", "leisure", "landuse", "building", "amenity", "place", "office", "industrial")
_NODE_KEYS = ("amenity", "highway", "place", "office", "leisure", "landuse", "industrial")


class TownFileError(Exception):
    """The file can't serve as a town; says which file, what is wrong and what to do."""


class _Way:
    __slots__ = ("osm_id", "refs", "tags")

    def __init__(self, osm_id: int, tags: Tags, refs: tuple[int, ...]) -> None:
        self.osm_id = osm_id
        self.tags = tags
        self.refs = refs


def read(path: str | FilePath) -> Town:
    """Read the streets, paths, places and areas of a town.

    Three streaming passes: tagged ways, the nodes that they use, tagged nodes; memory grows with what is kept, not with the file.
    Raises TownFileError when the file is missing, damaged, or holds no streets.
    """
    file = FilePath(path)
    if not file.is_file():
        raise TownFileError(f"{file}: there is no such file; give an OpenStreetMap extract (.osm.pbf)")
    try:
        header, ways = _ways(file)
        where = _locations(file, ways)
        tagged = _tagged_nodes(file)
    except RuntimeError as error:
        raise TownFileError(f"{file}: not a readable OpenStreetMap file ({error}); download the extract again") from error
    town = _assemble(file, header, ways, where, tagged)
    if not any(street.drivable for street in town.streets):
        raise TownFileError(f"{file}: holds no street for vehicles (ways read: {len(ways)}); choose an extract that covers a town")
    return town


def _ways(file: FilePath) -> tuple[tuple[float, float, float, float] | None, list[_Way]]:
    processor = osmium.FileProcessor(str(file), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter(*_WAY_KEYS))
    box = processor.header.box()
    bbox = (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat) if box.valid() else None
    entities = cast("Iterator[osmium.osm.Way]", iter(processor))
    found = [_Way(way.id, dict(way.tags), tuple(node.ref for node in way.nodes)) for way in entities]
    return bbox, [way for way in found if len(way.refs) > 1]


def _locations(file: FilePath, ways: list[_Way]) -> dict[int, tuple[float, float]]:
    wanted = {ref for way in ways for ref in way.refs}
    if not wanted:
        return {}
    nodes = osmium.FileProcessor(str(file), osmium.osm.NODE).with_filter(osmium.filter.IdFilter(wanted))
    entities = cast("Iterator[osmium.osm.Node]", iter(nodes))
    return {node.id: (node.lon, node.lat) for node in entities if node.location.valid()}


def _tagged_nodes(file: FilePath) -> list[tuple[int, Tags, tuple[float, float]]]:
    nodes = osmium.FileProcessor(str(file), osmium.osm.NODE).with_filter(osmium.filter.KeyFilter(*_NODE_KEYS))
    entities = cast("Iterator[osmium.osm.Node]", iter(nodes))
    return [(node.id, dict(node.tags), (node.lon, node.lat)) for node in entities if node.location.valid()]


def _runs(way: _Way, where: dict[int, tuple[float, float]]) -> Iterator[tuple[tuple[int, ...], tuple[tuple[float, float], ...]]]:
    """Yield the parts of a way whose nodes the extract holds: a cut extract lacks some."""
    run: list[int] = []
    for ref in (*way.refs, None):
        if ref is not None and ref in where:
            if not run or run[-1] != ref:
                run.append(ref)
        else:
            if len(run) > 1:
                yield tuple(run), tuple(where[known] for known in run)
            run = []


def _assemble(
    file: FilePath,
    header: tuple[float, float, float, float] | None,
    ways: list[_Way],
    where: dict[int, tuple[float, float]],
    tagged: list[tuple[int, Tags, tuple[float, float]]],
) -> Town:
    streets = tuple(street for way in ways for street in _streets(way, where))
    paths = tuple(path for way in ways for path in _paths(way, where))
    used = sorted({node for street in streets for node in street.nodes} | {node for path in paths for node in path.nodes})
    lonlat = np.array([where[node] for node in used], dtype=np.float64).reshape(-1, 2)
    bbox = header or _extent(lonlat)
    places = [
        Place(osm_id, kind, tags.get("name"), lat, lon) for osm_id, tags, (lon, lat) in tagged if (kind := place_kind(tags)) is not None
    ]
    places += [place for way in ways if (place := _place_of_way(way, where)) is not None]
    return Town(
        name=_name(tagged) or file.name.removesuffix(".pbf").removesuffix(".osm"),
        bbox=bbox,
        node_ids=np.array(used, dtype=np.int64),
        node_lonlat=lonlat,
        streets=streets,
        paths=paths,
        places=tuple(places),
        crossings=tuple(
            Crossing(osm_id, lat, lon, tags.get("kerb")) for osm_id, tags, (lon, lat) in tagged if tags.get("highway") == "crossing"
        ),
        areas=tuple(_areas(ways, where, bbox)),
    )


def _streets(way: _Way, where: dict[int, tuple[float, float]]) -> Iterator[Street]:
    found = street_class(way.tags)
    if found is None:
        return
    highway, drivable = found
    for nodes, line in _runs(way, where):
        yield Street(
            osm_id=way.osm_id,
            name=way.tags.get("name"),
            highway=highway,
            oneway=oneway(way.tags),
            drivable=drivable,
            nodes=nodes,
            line=line,
            maxspeed=maxspeed(way.tags),
            surface=hint(way.tags, "surface"),
            foot=hint(way.tags, "sidewalk", "foot"),
            bicycle=hint(way.tags, "bicycle", "cycleway"),
            wheelchair=hint(way.tags, "wheelchair"),
            kerb=hint(way.tags, "kerb"),
            lit=hint(way.tags, "lit"),
        )


def _paths(way: _Way, where: dict[int, tuple[float, float]]) -> Iterator[Path]:
    kind = path_kind(way.tags)
    if kind is None:
        return
    for nodes, line in _runs(way, where):
        yield Path(
            osm_id=way.osm_id,
            name=way.tags.get("name"),
            kind=kind,
            nodes=nodes,
            line=line,
            surface=hint(way.tags, "surface"),
            wheelchair=hint(way.tags, "wheelchair"),
            kerb=hint(way.tags, "kerb"),
        )


def _ring(way: _Way, where: dict[int, tuple[float, float]]) -> tuple[tuple[float, float], ...] | None:
    if way.refs[0] != way.refs[-1] or len(way.refs) < 4 or any(ref not in where for ref in way.refs):
        return None
    return tuple(where[ref] for ref in way.refs)


def _place_of_way(way: _Way, where: dict[int, tuple[float, float]]) -> Place | None:
    kind = place_kind(way.tags)
    ring = _ring(way, where)
    if kind is None or ring is None:
        return None
    lon, lat = np.array(ring[:-1]).mean(axis=0)
    return Place(way.osm_id, kind, way.tags.get("name"), float(lat), float(lon))


def _areas(ways: list[_Way], where: dict[int, tuple[float, float]], bbox: tuple[float, float, float, float]) -> Iterator[Area]:
    coast = [way for way in ways if way.tags.get("natural") == "coastline"]
    sea, islands = sea_and_islands((line for way in coast for _, line in _runs(way, where)), bbox)
    first = coast[0].osm_id if coast else 0
    yield from (Area(first, "sea", None, ring) for ring in sea)
    yield from (Area(first, "land", None, ring) for ring in islands)
    for way in ways:
        kind = area_kind(way.tags)
        ring = _ring(way, where) if kind is not None else None
        if kind is not None and ring is not None:
            yield Area(way.osm_id, kind, way.tags.get("name"), ring)


def _name(tagged: list[tuple[int, Tags, tuple[float, float]]]) -> str | None:
    rank = ("city", "town", "village")
    named = [(rank.index(tags["place"]), tags["name"]) for _, tags, _ in tagged if tags.get("place") in rank and "name" in tags]
    return min(named)[1] if named else None


def _extent(lonlat: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float, float, float]:
    if not len(lonlat):
        return (0.0, 0.0, 0.0, 0.0)
    west, south = lonlat.min(axis=0)
    east, north = lonlat.max(axis=0)
    return float(west), float(south), float(east), float(north)
