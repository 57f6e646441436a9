"""Completeness: of what each truck produced in a shift, what is stored, missing, late, thinned or refused."""

from asty_cloud_api.reads.lifts import VEHICLES
from asty_cloud_api.reads.listing import Choice, Column, Exact, Listing, OfDay
from asty_cloud_api.reads.terms import SHIFTS

_SOURCE = """
SELECT c.day, c.shift, c.edge, coalesce(v.name, c.edge) AS vehicle, c.produced, c.stored, c.missing, c.late, c.thinned, c.refused,
       CASE WHEN c.produced > 0 THEN (c.stored + c.thinned)::float8 / c.produced END AS share
FROM telemetry.v_completeness AS c
LEFT JOIN fleet.vehicle AS v ON v.edge = c.edge
"""

COMPLETENESS = Listing(
    name="completeness",
    title="Completeness of data",
    source=_SOURCE,
    columns=(
        Column("day", "Day", "day"),
        Column("shift", "Shift", "term", SHIFTS),
        Column("vehicle", "Vehicle"),
        Column("edge", "Gateway", "code", shown=False),
        Column("produced", "Produced", "number"),
        Column("stored", "Stored", "number"),
        Column("missing", "Missing", "number"),
        Column("late", "Late", "number"),
        Column("thinned", "Thinned", "number"),
        Column("refused", "Refused", "number"),
        Column("share", "Complete", "percent"),
    ),
    search=("vehicle", "edge"),
    filters=(
        Exact("edge", "Vehicle", "edge", VEHICLES),
        OfDay("day", "Day", "day", is_date=True),
        Choice("shift", "Shift", {value: (SHIFTS[value], f"shift = '{value}'") for value in ("morning", "afternoon", "night")}),
        Choice("state", "State", {"missing": ("With missing records", "missing > 0"), "full": ("Nothing missing", "missing = 0")}),
    ),
    sort="day",
    descending=True,
    order="vehicle, edge, CASE shift WHEN 'morning' THEN 1 WHEN 'afternoon' THEN 2 ELSE 3 END DESC",
    empty="No shift fits. A shift appears here with its first record.",
)
