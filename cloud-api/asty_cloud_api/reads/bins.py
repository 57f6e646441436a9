"""Bins of the register, with the last lift of each; and bins whose tag nobody registered."""

from asty_cloud_api.reads.listing import Choice, Column, Listing
from asty_cloud_api.reads.terms import BIN_STATES, STREAMS

_SOURCE = """
SELECT coalesce(b.id, '') AS id, coalesce(b.tag, s.tag) AS tag, b.stream, b.volume_l, b.street,
       coalesce(b.lat, s.lat) AS lat, coalesce(b.lon, s.lon) AS lon,
       s.last_lift AS t, s.net, s.last_edge AS edge, coalesce(v.name, s.last_edge) AS vehicle,
       CASE WHEN s.last_lift IS NULL THEN 'unknown' WHEN s.last_lift >= :today THEN 'today'
            WHEN s.last_lift >= CAST(:now AS timestamptz) - interval '3 days' THEN 'recent' ELSE 'old' END AS state
FROM fleet.bin AS b
FULL JOIN telemetry.v_bin_state AS s ON s.tag = b.tag
LEFT JOIN fleet.vehicle AS v ON v.edge = s.last_edge
"""

BINS = Listing(
    name="bins",
    title="Bins",
    source=_SOURCE,
    columns=(
        Column("id", "Bin", "code"),
        Column("street", "Street"),
        Column("stream", "Waste stream", "term", STREAMS),
        Column("volume_l", "Litres", "number"),
        Column("tag", "Tag", "code"),
        Column("state", "State", "state", BIN_STATES),
        Column("t", "Last lift", "moment"),
        Column("net", "Net", "kg"),
        Column("vehicle", "Refuse truck"),
        Column("lat", "Latitude", "number", shown=False),
        Column("lon", "Longitude", "number", shown=False),
    ),
    search=("id", "coalesce(street, '')", "coalesce(tag, '')", "coalesce(stream, '')"),
    filters=(
        Choice("state", "State", {value: (term, f"state = '{value}'") for value, term in BIN_STATES.items()}),
        Choice(
            "registered",
            "Register",
            {"yes": ("In the register", "id <> ''"), "no": ("Tag not in the register", "id = ''")},
        ),
    ),
    sort="t",
    descending=True,
    order="id, tag",
    empty="No bin fits. Bins come from the register: asty-cloud-api register import FILE.",
)
