"""A trip of Valhalla as legs: geometry, length, time, turns in the driver's Greek."""

import re
from dataclasses import dataclass
from typing import Any, Literal

TurnType = Literal[
    "depart",
    "arrive",
    "straight",
    "right",
    "slight_right",
    "sharp_right",
    "left",
    "slight_left",
    "sharp_left",
    "uturn",
    "roundabout",
    "ferry",
]
_TYPES: dict[int, TurnType] = {
    **dict.fromkeys((1, 2, 3), "depart"),
    **dict.fromkeys((4, 5, 6), "arrive"),
    **dict.fromkeys((7, 8, 17, 22, 25), "straight"),
    **dict.fromkeys((9, 18, 20, 23, 37), "slight_right"),
    10: "right",
    11: "sharp_right",
    **dict.fromkeys((12, 13), "uturn"),
    14: "sharp_left",
    15: "left",
    **dict.fromkeys((16, 19, 21, 24, 38), "slight_left"),
    **dict.fromkeys((26, 27), "roundabout"),
    **dict.fromkeys((28, 29), "ferry"),
}
"""Valhalla's manoeuvre types (trip directions, `Maneuver.Type`) by the icon that shows them."""

_KEEPS_NU = re.compile(r"\b([Σσ]τη|[Ττ]η)(?= (?:[ΑΕΗΙΟΥΩΆΈΉΊΌΎΏαεηιουωάέήίόύώΚΠΤΞΨκπτξψ]|[ΓγΜμΝν][κΚπΠτΤ]))")
_THEN = re.compile(r"(?<=Στη συνέχεια )\w")


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do at point `at` of the leg's shape, and how far it then goes on: `text` to read, `say` to speak."""

    at: int
    metres: float
    text: str
    say: str
    type: TurnType
    street: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """From one stop to the next. `shape` is (lon, lat); `side` is where the stop lies on arrival; `through_closed`: over closed streets."""

    metres: float
    seconds: float
    shape: tuple[tuple[float, float], ...]
    turns: tuple[Turn, ...]
    side: Literal["left", "right"] | None = None
    through_closed: bool = False

    def as_json(self, to: int) -> dict[str, Any]:
        """Return the leg as the tablet reads it, `to` being the number of its stop."""
        turns = [
            {"at": t.at, "metres": round(t.metres), "text": t.text, "say": t.say, "type": t.type, "street": t.street} for t in self.turns
        ]
        return {
            "to": to,
            "metres": round(self.metres),
            "seconds": round(self.seconds),
            "shape": self.shape,
            "turns": turns,
            "side": self.side,
        }


def legs_of(trip: dict[str, Any], *, through_closed: bool = False) -> list[Leg]:
    """Read a trip of Valhalla's route answer."""
    arrivals = (place.get("side_of_street") for place in trip["locations"][1:])
    return [_leg(said, side, through_closed) for said, side in zip(trip["legs"], arrivals, strict=True)]


def _leg(said: dict[str, Any], side: Literal["left", "right"] | None, through_closed: bool) -> Leg:
    shape = decode(said["shape"])
    turns = tuple(
        Turn(
            at=turn["begin_shape_index"],
            metres=turn["length"] * 1000,
            text=euphonic(turn["instruction"]),
            say=euphonic(turn.get("verbal_pre_transition_instruction", turn["instruction"])),
            type=_TYPES.get(turn["type"], "straight"),
            street=(turn.get("street_names") or [None])[0],
        )
        for turn in said["maneuvers"]
    )
    return Leg(said["summary"]["length"] * 1000, said["summary"]["time"], shape, turns, side, through_closed)


def euphonic(text: str) -> str:
    """Give the article its final ν where Greek keeps it («στην Ανθίμου Γαζή»), and go on in small letters after «στη συνέχεια»."""
    return _THEN.sub(lambda found: found[0].lower(), _KEEPS_NU.sub(lambda found: found[1] + "ν", text))


def decode(encoded: str) -> tuple[tuple[float, float], ...]:
    """Decode a polyline of 6 digits (Google's Encoded Polyline Algorithm Format) into (lon, lat)."""
    numbers: list[int] = []
    value = shift = 0
    for byte in encoded.encode("ascii"):
        value |= (byte - 63 & 31) << shift
        shift += 5
        if byte - 63 < 32:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    lat = lon = 0
    points = []
    for up, right in zip(numbers[::2], numbers[1::2], strict=True):
        lat, lon = lat + up, lon + right
        points.append((lon / 1e6, lat / 1e6))
    return tuple(points)
