"""What the simulated town knows to be true against what was stored: a lift is right when it names the bin and weighs what was in it."""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct


class Truth(Struct, frozen=True):
    """Of the lifts that happened (`true`): how many are stored, carry the tag that was read, and carry a net weight."""

    true: int
    stored: int
    named: int
    weighed: int
    mean_error_kg: float | None
    worst_error_kg: float | None

    def __str__(self) -> str:
        error = "" if self.mean_error_kg is None else f", {self.mean_error_kg:.1f} kg off on average, {self.worst_error_kg:.1f} kg at worst"
        named = f"{self.named} with the tag that was read"
        return f"of {self.true} lifts that happened {self.stored} are stored, {named}, {self.weighed} weighed{error}"


def compare(truth_file: Path, lifts: list[dict[str, Any]]) -> Truth:
    """Match stored lifts (keys edge, cycle, tag, net) to the simulator's own log by truck and lift cycle."""
    lines = truth_file.read_text().splitlines() if truth_file.exists() else []
    happened = {(row["edge"], row["cycle"]): row for row in map(json.loads, lines)}
    matched = [(happened[key], lift) for lift in lifts if (key := (lift["edge"], lift["cycle"])) in happened]
    errors = [abs(lift["net"] - true["kg"]) for true, lift in matched if lift["net"] is not None]
    return Truth(
        true=len(happened),
        stored=len(matched),
        named=sum(lift["tag"] == true["read"] for true, lift in matched),
        weighed=len(errors),
        mean_error_kg=round(sum(errors) / len(errors), 2) if errors else None,
        worst_error_kg=round(max(errors), 2) if errors else None,
    )
