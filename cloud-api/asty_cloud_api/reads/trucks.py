"""Trucks: where each is, whether it is connected, and what it has lifted today."""

from asty_cloud_api.reads.listing import Choice, Column, Listing
from asty_cloud_api.reads.terms import EDGE_STATES

_SOURCE = """
SELECT coalesce(v.edge, e.edge) AS edge, coalesce(v.name, e.edge) AS vehicle, v.plate, v.capacity_kg,
       CASE WHEN e.up THEN 'up' WHEN e.edge IS NULL THEN 'unknown' ELSE 'down' END AS state, coalesce(e.up, false) AS up, e.last_seen,
       p.t AS at, p.lat, p.lon, p.v * 3.6 AS kmh, CASE WHEN p.v > 0.7 THEN p.course END AS course,
       coalesce(d.lifts, 0) AS lifts, d.net, d.t AS last_lift
FROM fleet.vehicle AS v
FULL JOIN telemetry.v_edge AS e ON e.edge = v.edge
LEFT JOIN telemetry.v_position_last AS p ON p.edge = coalesce(v.edge, e.edge)
LEFT JOIN (SELECT edge, count(*) AS lifts, sum(net) AS net, max(t) AS t FROM telemetry.v_lift WHERE t >= :today GROUP BY edge) AS d
    ON d.edge = coalesce(v.edge, e.edge)
WHERE coalesce(v.kind, e.kind, 'truck') = 'truck'
"""

TRUCKS = Listing(
    name="trucks",
    title="Refuse trucks",
    source=_SOURCE,
    columns=(
        Column("vehicle", "Refuse truck"),
        Column("plate", "Plate", "code"),
        Column("edge", "Gateway", "code"),
        Column("state", "State", "state", EDGE_STATES),
        Column("at", "Last position", "moment"),
        Column("kmh", "Speed km/h", "number"),
        Column("lifts", "Lifts today", "number"),
        Column("net", "Net today", "kg"),
        Column("last_lift", "Last lift", "moment"),
        Column("lat", "Latitude", "number", shown=False),
        Column("lon", "Longitude", "number", shown=False),
    ),
    search=("vehicle", "coalesce(plate, '')", "edge"),
    filters=(Choice("state", "State", {value: (term, f"state = '{value}'") for value, term in EDGE_STATES.items()}),),
    sort="vehicle",
    descending=False,
    order="edge",
    empty="No truck fits. Trucks come from the register, or appear when their gateway connects.",
)
