"""The town's own lifts for a backtest: weighed ones of registered bins, by local day, from the views of the telemetry store."""

from collections import defaultdict
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Engine, text

from asty_cloud_api.forecast.history import Bin, Lift

FULL_QUANTILE = 0.95
"""Of the weighings of a kind of bin: what a full one weighs. Nobody weighs a bin by its level, so this stands in for its volume."""

_LIFTS = text("""
SELECT b.id, b.stream, b.volume_l, b.lat, b.lon, local.day, sum(l.net) AS kg
FROM telemetry.v_lift AS l JOIN fleet.bin AS b ON b.tag = l.tag
CROSS JOIN LATERAL (SELECT CAST(l.t AT TIME ZONE :zone AS date) AS day) AS local
WHERE l.net IS NOT NULL AND l.stable AND coalesce(cardinality(l.marks), 0) = 0
GROUP BY b.id, b.stream, b.volume_l, b.lat, b.lon, local.day
ORDER BY b.id, local.day
""")


def of_database(engine: Engine, zone: ZoneInfo) -> tuple[tuple[Bin, ...], tuple[Lift, ...]]:
    """Read bins and their weighed lifts. Raises SQLAlchemyError."""
    with engine.connect() as connection:
        rows = connection.execute(_LIFTS, {"zone": zone.key}).all()
    weighings: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for row in rows:
        weighings[row.stream, row.volume_l].append(float(row.kg))
    full = {kind: max(1.0, float(np.quantile(kgs, FULL_QUANTILE))) for kind, kgs in weighings.items()}
    bins: dict[str, Bin] = {}
    lifts: list[Lift] = []
    for row in rows:
        kind = (row.stream, row.volume_l)
        bins.setdefault(row.id, Bin(row.id, f"{row.stream} {row.volume_l}", row.lat, row.lon, full[kind]))
        day: date = row.day
        lifts.append(Lift(row.id, day, float(row.kg)))
    return tuple(bins.values()), tuple(lifts)
