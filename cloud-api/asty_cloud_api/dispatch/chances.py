"""What each bin holds and how likely it overflows before its next visit, from its lifts and readings."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from asty_cloud_api.dispatch.known import KnownBin, KnownLevel, KnownLift
from asty_cloud_api.forecast.fill import fit
from asty_cloud_api.forecast.history import Bin, Level, Lift

DENSITY = 0.1
"""kg of a litre of refuse of a stream that is not listed."""
DENSITIES = {"σύμμεικτα": 0.115, "ανακύκλωση": 0.046, "οργανικά": 0.3, "γυαλί": 0.27}
"""kg of a litre as it lies in a full bin, not pressed."""
ENOUGH_LIFTS = 20
"""So many weighings of a kind of bin may say that a full one weighs more; never less, since it may not have been full."""
FULL_QUANTILE = 0.95


@dataclass(frozen=True, slots=True)
class Chance:
    """`level`: share of the volume today; `overflow`: P(full before the next visit, if nobody empties it today); `kg` expected in it.

    `known` is False for a bin of which neither a lift nor a reading is on record: it counts as full.
    """

    level: float
    overflow: float
    kg: float
    known: bool = True


def chances(
    bins: Sequence[KnownBin], lifts: Sequence[KnownLift], today: date, *, next_visit: int = 1, levels: Sequence[KnownLevel] = ()
) -> dict[str, Chance]:
    """Foresee every bin on `today`; `next_visit` days after it somebody comes by again."""
    full = _full(bins, lifts)
    listed = [Bin(b.id, _kind(b), b.at.lat, b.at.lon, max(full[_kind(b)], 1.0)) for b in bins]
    model = fit(listed, [Level(r.bin, r.day, r.level) for r in levels], [Lift(lift.bin, lift.day, lift.kg) for lift in lifts], today)
    emptied = {lift.bin: lift for lift in sorted((one for one in lifts if one.day <= today), key=lambda one: one.at)}
    read = {r.bin: r for r in sorted((r for r in levels if r.day <= today and math.isfinite(r.level)), key=lambda r: r.at)}
    found: dict[str, Chance] = {}
    for one in bins:
        after, level = _start(emptied.get(one.id), read.get(one.id))
        if after is None:
            found[one.id] = Chance(1.0, 1.0, full[_kind(one)], known=False)
            continue
        now = level + model.expected(one.id, level, after, today)
        chance = model.overflow(one.id, level, after, today + timedelta(days=next_visit))
        found[one.id] = Chance(min(now, 1.0), chance, min(now, 1.0) * full[_kind(one)])
    return found


def _start(emptied: KnownLift | None, read: KnownLevel | None) -> tuple[date | None, float]:
    """The day from which the level is known: a reading newer than the last lift, or that lift."""
    if read is not None and (emptied is None or read.at > emptied.at):
        return read.day, max(read.level, 0.0)
    return (None if emptied is None else emptied.day), 0.0


def _kind(one: KnownBin) -> str:
    return f"{one.stream} {one.volume_l:g}"


def _full(bins: Sequence[KnownBin], lifts: Sequence[KnownLift]) -> Mapping[str, float]:
    """What a full bin of each kind weighs, kg: its volume times a density, or a high quantile of its weighings where that is more."""
    kinds = {b.id: _kind(b) for b in bins}
    weighed: defaultdict[str, list[float]] = defaultdict(list)
    for lift in lifts:
        if lift.bin in kinds and lift.kg is not None and math.isfinite(lift.kg) and lift.kg > 0:
            weighed[kinds[lift.bin]].append(lift.kg)
    seen = {kind: float(np.quantile(kg, FULL_QUANTILE)) for kind, kg in weighed.items() if len(kg) >= ENOUGH_LIFTS}
    return {_kind(b): max(full_weight(b.stream, b.volume_l), seen.get(_kind(b), 0.0)) for b in bins}


def full_weight(stream: str, volume_l: float) -> float:
    """What a full bin weighs before anybody weighed one, kg."""
    return volume_l * DENSITIES.get(stream, DENSITY)
