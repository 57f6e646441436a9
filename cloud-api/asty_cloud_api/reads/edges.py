"""Gateways (edges): connected or not, what they hold back, and how their devices are."""

from asty_cloud_api.reads.listing import Choice, Column, Listing
from asty_cloud_api.reads.terms import EDGE_KINDS, EDGE_STATES

_SOURCE = """
SELECT e.edge, coalesce(v.name, e.edge) AS vehicle, coalesce(e.kind, v.kind) AS kind, coalesce(e.up, false) AS up,
       CASE WHEN e.up THEN 'up' WHEN e.up IS NULL THEN 'unknown' ELSE 'down' END AS state,
       e.software, e.last_seen, e.head, e.acked, e.held, e.health_t,
       coalesce(h.up, 0) AS devices_up, coalesce(h.lost, 0) AS devices_lost, coalesce(h.silent, 0) AS devices_silent,
       coalesce(h.n, 0) AS devices,
       coalesce(h.bad, 0)::bigint AS bad_frames, coalesce(h.faults, '{}') AS faults
FROM telemetry.v_edge AS e
LEFT JOIN fleet.vehicle AS v ON v.edge = e.edge
LEFT JOIN (
    SELECT edge, count(*) AS n, count(*) FILTER (WHERE state = 'up') AS up, count(*) FILTER (WHERE state = 'silent') AS silent,
           count(*) FILTER (WHERE state NOT IN ('up', 'silent')) AS lost, sum(bad) AS bad,
           array_agg(device || '=' || state ORDER BY device) FILTER (WHERE state <> 'up') AS faults
    FROM telemetry.v_device_health GROUP BY edge
) AS h ON h.edge = e.edge
"""

EDGES = Listing(
    name="edges",
    title="Gateways",
    source=_SOURCE,
    columns=(
        Column("vehicle", "Gateway"),
        Column("edge", "Identity", "code"),
        Column("kind", "Kind", "term", EDGE_KINDS, shown=False),
        Column("state", "State", "state", EDGE_STATES),
        Column("devices_up", "Devices in service", "number"),
        Column("devices_lost", "Lost", "number", shown=False),
        Column("devices_silent", "Silent", "number", shown=False),
        Column("bad_frames", "Bad frames", "number"),
        Column("held", "Outbox", "number"),
        Column("last_seen", "Last heard", "moment"),
        Column("software", "Software", "code"),
    ),
    search=("vehicle", "edge", "coalesce(software, '')"),
    filters=(
        Choice("state", "State", {value: (term, f"state = '{value}'") for value, term in EDGE_STATES.items()}),
        Choice(
            "devices",
            "Devices",
            {
                "well": ("All in service", "devices_up = devices"),
                "ill": ("Some lost or silent", "devices_up < devices"),
            },
        ),
    ),
    sort="vehicle",
    descending=False,
    order="edge",
    empty="No gateway fits. A gateway appears here as soon as it connects for the first time.",
)
