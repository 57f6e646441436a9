"""The day per truck: what is done of its route, what comes next and when, and how far it is from its plan. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from asty_cloud_api.board.arrivals import FRESH, Basis, Call, Here, arrivals

ON_TIME = timedelta(minutes=5)
SIGNS = 8
"""So many colours and letters tell trucks apart; further trucks begin again."""
DONE = frozenset({"served", "missed"})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
Told = Literal["accepted", "seen", "delivered", "told"]
type Record = Mapping[str, Any]
"""A row of the database by its column names, or an object of stored JSON."""


@dataclass(frozen=True, slots=True)
class Line:
    """One call of a lane. `eta` is planned, `expected` the estimate for what is still ahead, `at` when it happened."""

    n: int
    kind: str
    id: str
    street: str | None
    lat: float | None
    lon: float | None
    state: str
    eta: datetime
    expected: datetime | None = None
    at: datetime | None = None
    kg: float | None = None
    planned_kg: float | None = None
    stream: str | None = None
    must: bool = False
    why: str | None = None
    reason: str | None = None
    said_by: str | None = None
    photo: object = None

    @property
    def time(self) -> datetime:
        """The best that is known of when: happened, expected, planned."""
        return self.at or self.expected or self.eta

    @property
    def late(self) -> float:
        """Seconds after the plan, negative before it."""
        return (self.time - self.eta).total_seconds()


@dataclass(frozen=True, slots=True)
class Lane:
    """One truck's day. `sign` is its colour and letter on the map; metres of `path` legs; `late` in s of its next call, or its last."""

    edge: str
    vehicle: str
    plate: str | None
    sign: int
    version: int
    made: datetime
    told: Told
    told_at: datetime | None
    accepted_by: str | None
    lines: tuple[Line, ...]
    here: Here | None
    up: bool
    basis: Basis
    late: float
    planned_m: float | None
    done_m: float | None
    unplanned: int = 0

    def count(self, *states: str) -> int:
        """Bins in these states."""
        return sum(line.kind == "bin" and line.state in states for line in self.lines)

    @property
    def bins(self) -> int:
        return self.count("served", "missed", "next", "left", "passed", "undone")

    @property
    def kg(self) -> float:
        return sum(line.kg or 0.0 for line in self.lines if line.state == "served")

    @property
    def next(self) -> Line | None:
        """What it drives to now: a bin, a station, its break or its depot."""
        return next((line for line in self.lines if line.state == "next"), None)

    @property
    def ends(self) -> datetime | None:
        """When its last call is, as far as is known."""
        return self.lines[-1].time if self.lines else None

    @property
    def minutes_late(self) -> int:
        return round(self.late / 60)

    @property
    def pace(self) -> str:
        """late, early, on_time or done."""
        if self.lines and self.next is None:
            return "done"
        return "late" if self.late > ON_TIME.total_seconds() else "early" if self.late < -ON_TIME.total_seconds() else "on_time"


def lane(
    route: Record,
    rows: Sequence[Record],
    truck: Record | None,
    *,
    unloaded: Sequence[Record] = (),
    sign: int,
    now: datetime,
    over: bool,
) -> Lane:
    """Put one truck's newest route together with what became of its stops.

    `rows` are the service rows of stops that this route or an earlier version of it gave the truck; `truck` its vehicle and last position;
    `unloaded` its visits to stations (stop, at) since the route was made; `over` says that the day is over: nothing is expected any more.
    """
    fate = {row["bin"]: row for row in rows if row["bin"] is not None}
    stops = [stop for stop in route["stops"] if stop["kind"] != "bin" or _is_here(stop, fate, route["edge"])]
    named = {stop["id"] for stop in stops if stop["kind"] == "bin"}
    mine = [row for row in fate.values() if row["bin"] not in named and row["planned_edge"] == route["edge"]]
    behind = [_told_line(row) for row in sorted(mine, key=lambda row: row["at"] or row["eta"])]
    calls = _calls(stops, route["path"])
    visited = _visited(stops, unloaded)
    done = _done(stops, fate, visited)
    here = None if truck is None or truck["lat"] is None else Here(truck["lat"], truck["lon"], truck["at"])
    own = [row["at"] for row in fate.values() if row["state"] in DONE and row["edge"] == route["edge"] and row["at"] is not None]
    own += visited.values()
    guess = arrivals(calls, done, here=here, last=max(own, default=None), now=now)
    expected = [None] * len(calls) if over else [*[None] * done, *guess.at]
    lines = [
        _line(stop, call, fate.get(stop["id"]), _state(index, done, stop, fate, over), expected[index], visited.get(index))
        for index, (stop, call) in enumerate(zip(stops, calls, strict=True))
    ]
    metres = [leg["metres"] for leg in route["path"] or ()]
    told, told_at = _told(route)
    return Lane(
        edge=route["edge"],
        vehicle=truck["vehicle"] if truck else route["edge"],
        plate=truck["plate"] if truck else None,
        sign=sign,
        version=route["version"],
        made=route["made"],
        told=told,
        told_at=told_at,
        accepted_by=route["accepted_by"],
        lines=(*behind, *lines),
        here=here if here is not None and (over or now - here.at <= FRESH) else None,
        up=bool(truck and truck["up"]),
        basis=guess.basis,
        late=_late(behind + lines) if over else guess.late,
        planned_m=float(sum(metres)) if metres else route["figures"].get("metres"),
        done_m=float(sum(metres[:done])) if metres else None,
        unplanned=sum(row["state"] == "unplanned" for row in rows),
    )


def _is_here(stop: Record, fate: Mapping[str, Record], edge: str) -> bool:
    """A stop that a newer route gave to another truck is no longer this one's."""
    row = fate.get(stop["id"])
    return row is not None and (row["planned_edge"] == edge or row["edge"] == edge)


def _calls(stops: Sequence[Record], path: Sequence[Record] | None) -> list[Call]:
    legs = {leg["to"]: float(leg["seconds"]) for leg in path or ()}
    calls: list[Call] = []
    for stop in stops:
        lat, lon = stop.get("lat"), stop.get("lon")
        if lat is None or lon is None:  # a break is taken where the truck stands
            lat, lon = (calls[-1].lat, calls[-1].lon) if calls else (0.0, 0.0)
        calls.append(Call(lat, lon, moment(stop["eta"]), float(stop.get("service_s") or 0), legs.get(stop["n"])))
    return calls


def moment(text: str) -> datetime:
    """Read a stop's planned time, ISO 8601 with an offset."""
    return datetime.fromisoformat(text)


def _visited(stops: Sequence[Record], unloaded: Sequence[Record]) -> dict[int, datetime]:
    """When the truck was at each station of its route: the first visit to one is its first place on the route, and so on."""
    times: dict[str, list[datetime]] = {}
    for row in unloaded:
        times.setdefault(row["stop"], []).append(row["at"])
    return {i: times[stop["id"]].pop(0) for i, stop in enumerate(stops) if stop["kind"] == "station" and times.get(stop["id"])}


def _done(stops: Sequence[Record], fate: Mapping[str, Record], visited: Mapping[int, datetime]) -> int:
    """How many calls lie behind the truck: up to the newest one that something became of, and those done just after it.

    What lies between was passed over. A call that was made out of its turn, far ahead, moves nothing once the truck goes on in order.
    """
    rows = {i: fate[stop["id"]] for i, stop in enumerate(stops) if stop["kind"] == "bin"}
    made = {**{i: row["at"] or _LONG_AGO for i, row in rows.items() if row["state"] in DONE}, **visited}
    done = max(made, key=lambda i: (made[i], i)) + 1 if made else 0
    while done in made:
        done += 1
    return done


def _state(index: int, done: int, stop: Record, fate: Mapping[str, Record], over: bool) -> str:
    state = fate[stop["id"]]["state"] if stop["kind"] == "bin" else "served" if index < done or over else "left"
    if state in ("left", "undone"):
        return "undone" if over else "passed" if index < done else "next" if index == done else "left"
    return str(state)


def _line(stop: Record, call: Call, row: Record | None, state: str, expected: datetime | None, visited: datetime | None) -> Line:
    return Line(
        n=stop["n"],
        kind=stop["kind"],
        id=stop["id"],
        street=stop.get("street"),
        lat=stop.get("lat"),
        lon=stop.get("lon"),
        state=state,
        eta=call.eta,
        expected=expected,
        at=row["at"] if row else visited,
        kg=row["kg"] if row else None,
        planned_kg=stop.get("kg"),
        stream=stop.get("stream"),
        must=bool(stop.get("must")),
        why=stop.get("why"),
        reason=row["reason"] if row else None,
        said_by=row["said_by"] if row else None,
        photo=row["photo"] if row else None,
    )


def _told_line(row: Record) -> Line:
    """A stop of an earlier version of the route."""
    return Line(
        n=row["n"], kind="bin", id=row["bin"], street=row["street"], lat=row["lat"], lon=row["lon"], state=row["state"], eta=row["eta"],
        at=row["at"], kg=row["kg"], planned_kg=row["planned_kg"], stream=row["stream"], must=row["must"], why=row["why"],
        reason=row["reason"], said_by=row["said_by"], photo=row["photo"],
    )  # fmt: skip


def _told(route: Record) -> tuple[Told, datetime | None]:
    if route["accepted"] is not None:
        return "accepted", route["accepted"]
    if route["seen"] is not None:
        return "seen", route["seen"]
    return ("delivered", route["delivered"]) if route["delivered"] is not None else ("told", None)


def _late(lines: Sequence[Line]) -> float:
    happened = [line for line in lines if line.at is not None]
    return max(happened, key=lambda line: line.time).late if happened else 0.0
