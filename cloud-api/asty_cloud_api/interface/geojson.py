"""Trucks and bins as GeoJSON; `name` and `lines` are what a map says of each, in the reader's language."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from asty_look.formats import Formats

from asty_cloud_api.reads import terms
from asty_cloud_api.reads.listing import Row

Say = Callable[[str], str]


def trucks(rows: Sequence[Row], f: Formats, say: Say, now: datetime) -> list[dict[str, Any]]:
    """Return a feature for each truck whose position is known; `course` is null while it stands."""
    return [
        _point(
            row,
            {
                "edge": row["edge"],
                "name": row["vehicle"],
                "up": row["up"],
                "course": row["course"],
                "at": f.iso(row["at"]),
                "lines": [
                    *([row["plate"]] if row["plate"] else []),
                    f"{say(terms.EDGE_STATES[row['state']])} · {say('Position')}: {f.moment(row['at'], now)}",
                    f"{say('Lifts today')}: {f.number(row['lifts'])} · {f.kg(row['net'])}",
                ],
            },
        )
        for row in rows
        if row["lat"] is not None and row["lon"] is not None
    ]


def bins(rows: Sequence[Row], f: Formats, say: Say, now: datetime) -> list[dict[str, Any]]:
    """Return a feature for each bin with a place; `state` is today, recent, old or unknown."""
    return [
        _point(
            row,
            {
                "id": row["id"],
                "tag": row["tag"],
                "state": row["state"],
                "last_lift": f.iso(row["t"]),
                "net": row["net"],
                "name": f"{say('Bin')} {row['id']}" if row["id"] else say("Tag not in the register"),
                "lines": [
                    " · ".join(
                        part
                        for part in (row["street"], say(terms.STREAMS.get(row["stream"], row["stream"] or "")), _volume(row, f))
                        if part
                    ),
                    f"{say('Last lift')}: {f.moment(row['t'], now)} · {f.kg(row['net'])}" if row["t"] else say("No lift on record"),
                ],
            },
        )
        for row in rows
        if row["lat"] is not None and row["lon"] is not None
    ]


def _volume(row: Row, f: Formats) -> str:
    return f.quantity(row["volume_l"], "l") if row["volume_l"] else ""


def _point(row: Row, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]}, "properties": properties}
