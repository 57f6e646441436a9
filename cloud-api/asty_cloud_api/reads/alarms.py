"""Alarms: open ones first, and what has ended."""

from asty_cloud_api.reads.lifts import VEHICLES
from asty_cloud_api.reads.listing import Choice, Column, Exact, Listing, OfDay
from asty_cloud_api.reads.terms import ALARMS, SEVERITIES

_SOURCE = """
SELECT a.t, a.edge, coalesce(v.name, a.edge) AS vehicle, a.code, a.device, a.severity, a.info, a.active, a.late,
       CASE WHEN a.active THEN 'begin' ELSE 'end' END AS state, a.epoch, a.s
FROM telemetry.v_alarm AS a
LEFT JOIN fleet.vehicle AS v ON v.edge = a.edge
"""

_OPEN = """
SELECT a.since AS t, a.edge, coalesce(v.name, a.edge) AS vehicle, a.code, nullif(a.device, '') AS device, a.severity, a.info,
       CASE a.severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END AS rank
FROM telemetry.v_alarm_open AS a
LEFT JOIN fleet.vehicle AS v ON v.edge = a.edge
"""

_COLUMNS = (
    Column("t", "Time", "moment", nullable=False),
    Column("severity", "Severity", "state", SEVERITIES),
    Column("code", "Alarm", "term", ALARMS),
    Column("vehicle", "Vehicle"),
    Column("edge", "Gateway", "code", shown=False),
    Column("device", "Device", "code"),
    Column("info", "What it says"),
)
_SEARCH = ("vehicle", "edge", "code", "coalesce(device, '')", "coalesce(info, '')")
_BY_SEVERITY = Choice("severity", "Severity", {value: (term, f"severity = '{value}'") for value, term in SEVERITIES.items()})

OPEN_ALARMS = Listing(
    name="alarms",
    title="Open alarms",
    source=_OPEN,
    columns=_COLUMNS,
    search=_SEARCH,
    filters=(Exact("edge", "Vehicle", "edge", VEHICLES), _BY_SEVERITY),
    sort="t",
    descending=True,
    order="rank, edge, code",
    empty="No alarm is open.",
)

ALARM_HISTORY = Listing(
    name="alarm-history",
    title="History of alarms",
    source=_SOURCE,
    columns=(*_COLUMNS[:1], Column("state", "Begin or end", "term", {"begin": "Begins", "end": "Ends"}), *_COLUMNS[1:]),
    search=_SEARCH,
    filters=(
        Exact("edge", "Vehicle", "edge", VEHICLES),
        OfDay("day", "Day", "t"),
        _BY_SEVERITY,
        Choice("state", "Begin or end", {"begin": ("Begins", "active"), "end": ("Ends", "NOT active")}),
    ),
    sort="t",
    descending=True,
    order="edge, epoch, s",
    empty="No alarm fits.",
)
