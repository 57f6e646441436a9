"""The built-in town Άστυ: invented, drawn by code, written as a real OpenStreetMap file.

Streets follow a tensor field (Chen et al. 2008, "Interactive Procedural Street Modeling"): along and across a curved coast,
round a hill, and on a turned grid in the upper quarter; the rest is drawn into the blocks between them.

    terrain  coast, hill, direction of streets at a point      tracing  streamlines through it
    network  streamlines -> junctions and pieces               blocks   the faces between the pieces, and what stands on them
    layout   classes, names, one-ways, paths, places           osm_writer   elements -> PBF
"""

from pathlib import Path

from asty_town.generator.layout import lay_out
from asty_town.generator.osm_writer import write

DEFAULT_SEED = 2026


def generate(path: str | Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write the built-in town as an OpenStreetMap PBF file; the same seed gives the same town."""
    write(lay_out(seed), Path(path))
