"""From lifts: the town's event, and the state of each bin."""

from collections.abc import Iterable
from typing import NamedTuple

from asty_contracts.records import Lift
from asty_contracts.stream import BinLifted

from asty_stream.rules.happened import Happened


class BinChange(NamedTuple):
    """What a batch says about one bin: its newest credible lift, if any, and how many lifts there were."""

    newest: Happened[Lift]
    lifts: int


def announce(lift: Happened[Lift]) -> BinLifted:
    """Tell the town of a lift; late ones too: the receiver sees the time."""
    d = lift.d
    return BinLifted(lift.org, lift.edge, lift.ep, lift.s, lift.t, d.tag, d.net, d.lat, d.lon)


def bin_changes(lifts: Iterable[Happened[Lift]]) -> dict[str, BinChange]:
    """Fold lifts by tag in event time. A lift whose time is marked, or without a tag, changes no bin."""
    changes: dict[str, BinChange] = {}
    for lift in lifts:
        tag = lift.d.tag
        if tag is None or not lift.credible:
            continue
        known = changes.get(tag)
        if known is None:
            changes[tag] = BinChange(lift, 1)
        else:
            changes[tag] = BinChange(max(known.newest, lift, key=lambda it: it.order), known.lifts + 1)
    return changes
