"""A draft of OSM elements, and its writing as a PBF file."""

from dataclasses import dataclass, field
from pathlib import Path

import osmium

from asty_town.generator.terrain import BBOX, ORIGIN
from asty_town.generator.tracing import Point
from asty_town.plane import Plane

Tags = dict[str, str]


@dataclass
class Draft:
    """Nodes and ways in metres; ids are their positions, from 1."""

    nodes: list[tuple[Point, Tags]] = field(default_factory=list)
    ways: list[tuple[list[int], Tags]] = field(default_factory=list)

    def node(self, at: Point, **tags: str) -> int:
        """Add a node; return its id."""
        self.nodes.append((at, _osm(tags)))
        return len(self.nodes)

    def way(self, refs: list[int], tags: Tags) -> None:
        """Add a way over known nodes."""
        self.ways.append((refs, _osm(tags)))

    def line(self, points: list[Point], tags: Tags) -> None:
        """Add a way over new nodes."""
        self.way([self.node(point) for point in points], tags)

    def ring(self, points: list[Point], tags: Tags) -> None:
        """Add a closed way over new nodes."""
        refs = [self.node(point) for point in points]
        self.way([*refs, refs[0]], tags)


def _osm(tags: Tags) -> Tags:
    return {key.replace("__", ":"): value for key, value in tags.items() if value}


def write(draft: Draft, path: Path) -> None:
    """Write the draft; an existing file is replaced."""
    plane = Plane(*ORIGIN)
    header = osmium.io.Header()
    header.set("generator", "asty-town")
    west, south, east, north = BBOX
    low, high = plane.latlon(west, south), plane.latlon(east, north)
    header.add_box(osmium.osm.Box(low[1], low[0], high[1], high[0]))
    with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
        for number, (at, tags) in enumerate(draft.nodes, 1):
            lat, lon = plane.latlon(*at)
            writer.add_node(osmium.osm.mutable.Node(id=number, version=1, location=(round(lon, 7), round(lat, 7)), tags=tags))
        for number, (refs, tags) in enumerate(draft.ways, 1):
            writer.add_way(osmium.osm.mutable.Way(id=number, version=1, nodes=refs, tags=tags))
