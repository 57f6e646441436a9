"""Lifts with their evidence."""

from asty_cloud_api.reads.listing import Choice, Column, Exact, Listing, OfDay
from asty_cloud_api.reads.terms import FLAGS, STREAMS, TIME_SOURCES

_SOURCE = """
SELECT l.t, l.edge, coalesce(v.name, l.edge) AS vehicle, v.plate, l.tag, l.std, b.id AS bin, b.street, b.stream,
       l.gross, l.tare, l.net, l.stable, coalesce(l.flags, '{}') || coalesce(l.marks, '{}') AS flags,
       l.tq, l.lat, l.lon, l.fix, l.fix_age, l.cycle, l.late, l.epoch, l.s, l.hash, l.prev
FROM telemetry.v_lift AS l
LEFT JOIN fleet.vehicle AS v ON v.edge = l.edge
LEFT JOIN fleet.bin AS b ON b.tag = l.tag
"""

VEHICLES = """
SELECT e.edge, coalesce(v.name, e.edge) FROM telemetry.v_edge AS e LEFT JOIN fleet.vehicle AS v USING (edge) ORDER BY 2
"""

LIFTS = Listing(
    name="lifts",
    title="Lifts",
    source=_SOURCE,
    columns=(
        Column("t", "Time", "moment", nullable=False),
        Column("vehicle", "Refuse truck"),
        Column("edge", "Gateway", "code", shown=False),
        Column("street", "Street"),
        Column("bin", "Bin", "code"),
        Column("stream", "Waste stream", "term", STREAMS, shown=False),
        Column("tag", "Tag", "code"),
        Column("gross", "Gross", "kg"),
        Column("tare", "Tare", "kg"),
        Column("net", "Net", "kg"),
        Column("flags", "Evidence", "terms", FLAGS),
        Column("tq", "Source of the time", "term", TIME_SOURCES, shown=False),
        Column("lat", "Latitude", "number", shown=False),
        Column("lon", "Longitude", "number", shown=False),
        Column("cycle", "Lift counter", "number", shown=False),
        Column("epoch", "Epoch", "number", shown=False),
        Column("s", "Sequence", "number", shown=False),
        Column("hash", "Hash", "code", shown=False),
        Column("prev", "Hash before", "code", shown=False),
    ),
    search=("vehicle", "coalesce(street, '')", "coalesce(bin, '')", "coalesce(tag, '')", "coalesce(plate, '')"),
    filters=(
        Exact("edge", "Refuse truck", "edge", VEHICLES),
        OfDay("day", "Day", "t"),
        Choice(
            "evidence",
            "Evidence",
            {
                "complete": ("Complete", "cardinality(flags) = 0 AND net IS NOT NULL"),
                "no_tag": ("No tag", "tag IS NULL"),
                "unweighed": ("Without a stable weighing", "net IS NULL"),
                "flagged": ("With remarks", "cardinality(flags) > 0"),
            },
        ),
    ),
    sort="t",
    descending=True,
    order="edge, epoch, s",
    empty="No lift fits. Lifts appear here within seconds of the bin touching down.",
)
