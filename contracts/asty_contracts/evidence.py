"""The hash that chains the lifts of one truck, so that a weighing can be defended when it is billed."""

import hashlib

import msgspec
from msgspec.structs import replace

from asty_contracts.records import Lift


def lift_hash(lift: Lift) -> str:
    """Hash a lift and, through `prev`, all lifts before it: SHA-256, hex.

    Hashed is its JSON as on the wire, with sorted names, without spaces, without `hash` and without fields that hold their
    default, so that a field which a later contract adds changes no hash.
    """
    return hashlib.sha256(msgspec.json.encode(replace(lift, hash=""), order="sorted")).hexdigest()


def chained(lift: Lift, prev: str) -> Lift:
    """Return the lift as the successor of the one whose hash is `prev`."""
    linked = replace(lift, prev=prev, hash="")
    return replace(linked, hash=lift_hash(linked))


def holds(lift: Lift) -> bool:
    """Tell whether nothing in the lift was changed since it was chained."""
    return lift.hash == lift_hash(lift)
