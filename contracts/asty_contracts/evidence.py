"""The hash that chains the lifts of one truck, so that a weighing can be defended when it is billed."""

import hashlib

import msgspec
from msgspec.structs import asdict, replace

from asty_contracts.records import Lift


def lift_hash(lift: Lift) -> str:
    """Hash a lift and, through `prev`, all lifts before it: SHA-256, hex, of its fields as JSON with sorted names, without `hash`."""
    fields = {name: value for name, value in asdict(lift).items() if name != "hash"}
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()


def chained(lift: Lift, prev: str) -> Lift:
    """Return the lift as the successor of the one whose hash is `prev`."""
    linked = replace(lift, prev=prev, hash="")
    return replace(linked, hash=lift_hash(linked))


def holds(lift: Lift) -> bool:
    """Tell whether nothing in the lift was changed since it was chained."""
    return lift.hash == lift_hash(lift)
