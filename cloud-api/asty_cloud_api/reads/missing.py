"""Missing records: of each gateway the ranges of numbers that it has given and the store lacks, and since when."""

from asty_cloud_api.reads.lifts import VEHICLES
from asty_cloud_api.reads.listing import Choice, Column, Exact, Listing
from asty_cloud_api.reads.terms import GAP_STATES

_SOURCE = """
SELECT m.edge, coalesce(v.name, m.edge) AS vehicle, m.ep::text AS outbox, m.first, m.last, m.n, m.since, e.last_seen,
       CASE WHEN NOT m.present THEN 'lost' WHEN e.up THEN 'open' ELSE 'away' END AS state
FROM telemetry.v_missing AS m
LEFT JOIN telemetry.v_edge AS e ON e.edge = m.edge
LEFT JOIN fleet.vehicle AS v ON v.edge = m.edge
"""

MISSING = Listing(
    name="missing",
    title="Missing records",
    source=_SOURCE,
    columns=(
        Column("vehicle", "Vehicle"),
        Column("edge", "Gateway", "code", shown=False),
        Column("n", "Records", "number"),
        Column("first", "First number", "number"),
        Column("last", "Last number", "number"),
        Column("since", "Missing since", "moment"),
        Column("state", "State", "state", GAP_STATES),
        Column("last_seen", "Last heard", "moment"),
        Column("outbox", "Outbox", "code", shown=False),
    ),
    search=("vehicle", "edge"),
    filters=(
        Exact("edge", "Vehicle", "edge", VEHICLES),
        Choice("state", "State", {value: (term, f"state = '{value}'") for value, term in GAP_STATES.items()}),
    ),
    sort="since",
    descending=False,
    order="vehicle, edge, outbox, first",
    empty="Nothing is missing.",
)
