"""For everybody: GET /api/eta and the page /when («Πότε περνά το απορριμματοφόρο;»)."""

import asyncio
import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi import Query as Param
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import text

from asty_cloud_api.board import today
from asty_cloud_api.board.desk import Desk
from asty_cloud_api.board.promise import Promise, of_places
from asty_cloud_api.board.turnstile import Turnstile
from asty_cloud_api.reads.listing import folded
from asty_cloud_api.reads.terms import STREAMS

PER_MINUTE = 30
FRESH_SECONDS = 5.0
MOST_CHOICES = 12
Asked = Annotated[str | None, Param(max_length=100)]
_BINS = "SELECT id, street, stream FROM fleet.bin ORDER BY street, id"


class Eta(BaseModel):
    """One stream at the place asked for. `says` is the answer in words; `begins` to `ends` is when the truck is expected, UTC.

    `live` tells whether it rests on where the truck is or only on the plan; `streets_away` only while it is live.
    """

    state: Literal["coming", "passed", "missed", "not_today", "no_news", "unknown_place"]
    stream: str | None
    begins: datetime | None
    ends: datetime | None
    streets_away: int | None
    live: bool
    passed_at: datetime | None
    says: str


class Etas(BaseModel):
    """`known` is false when nothing can be said; `place` is the street or bin that was understood; `choices` when several fit."""

    known: bool
    place: str | None
    at: datetime
    answers: list[Eta]
    choices: list[str] = []


class Glance:
    """The day's lanes and the bins of the register, read at most every few seconds however many people ask."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = asyncio.Lock()
        self._read = -math.inf
        self._seen: tuple[today.Today, list[tuple[str, str | None, str]]] | None = None

    async def look(self) -> tuple[today.Today, list[tuple[str, str | None, str]]]:
        """Return the day and every bin's (id, street, stream)."""
        async with self._lock:
            if self._seen is None or time.monotonic() - self._read > FRESH_SECONDS:
                async with self._desk.engine.connect() as connection:
                    day = await today.read(connection, self._desk.today(), self._desk.zone, datetime.now(UTC))
                    bins = [(row.id, row.street, row.stream) for row in await connection.execute(text(_BINS))]
                self._seen, self._read = (day, bins), time.monotonic()
            return self._seen


def routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter()
    glance, turnstile = Glance(desk), Turnstile(PER_MINUTE)

    def let_in(request: Request) -> None:
        wait = turnstile.wait(request.client.host if request.client else "", time.monotonic())
        if wait:
            raise HTTPException(429, "too many questions: try again in a minute", {"Retry-After": str(math.ceil(wait))})

    async def answer(request: Request, bin_id: str, street: str) -> Etas:
        seen, bins = await glance.look()
        now = datetime.now(UTC)
        place: str | None = bin_id
        choices: list[str] = []
        if not bin_id:
            place, choices = find_street([name for _, name, _ in bins if name], street)
        ids = frozenset(one for one, name, _ in bins if (one == bin_id if bin_id else name == place))
        if not ids:
            return Etas(
                known=False, place=None, at=now, answers=[] if choices else [told(desk, request, Promise("unknown_place"))], choices=choices
            )
        found = of_places(seen.lanes, ids, now) or (Promise("not_today"),)
        said = [told(desk, request, one) for one in found]
        return Etas(known=any(one.state in ("coming", "passed", "missed") for one in found), place=place, at=now, answers=said)

    @router.get("/api/eta", summary="When the truck comes to a street or bin: roughly, never where it is; 30 questions a minute")
    async def eta(
        request: Request,
        bin: Annotated[str | None, Param(max_length=64, description="a bin's number")] = None,  # noqa: A002  the address says so
        street: Annotated[str | None, Param(max_length=100, description="a street's name, or the part of it that is unique")] = None,
    ) -> Etas:
        let_in(request)
        if bool(bin) == bool(street):
            raise HTTPException(422, "ask for one of ?bin= and ?street=")
        return await answer(request, (bin or "").strip(), (street or "").strip())

    @router.get("/when", include_in_schema=False)
    async def when(request: Request, bin: Asked = None, street: Asked = None) -> Response:  # noqa: A002  the address says so
        wait = turnstile.wait(request.client.host if request.client else "", time.monotonic())
        _, bins = await glance.look()
        asked = (bin or "").strip(), (street or "").strip()
        found = await answer(request, *asked) if any(asked) and not wait else None
        names = sorted({name for _, name, _ in bins if name}, key=folded)
        context = {"found": found, "asked": asked[1] or asked[0], "names": names, "wait": math.ceil(wait)}
        return desk.render(request, "when.html", context, status=429 if wait else 200)

    return router


def find_street(names: Sequence[str], asked: str) -> tuple[str | None, list[str]]:
    """Find a street by its name or a part of it, deaf to accents and capitals: the street, or those that it may be."""
    known = sorted(set(names), key=folded)
    words = folded(asked).split()
    if not words:
        return None, []
    exact = [name for name in known if folded(name).split() == words]
    fits = exact or [name for name in known if all(word in folded(name) for word in words)]
    return (fits[0], []) if len(fits) == 1 else (None, fits[:MOST_CHOICES])


def told(desk: Desk, request: Request, one: Promise) -> Eta:
    """Put a promise into words of the reader's language."""

    def say(term: str, **values: object) -> str:
        return desk.say(request, term) % values

    f = desk.pages.formats(request)
    match one:
        case Promise(state="coming", begins=datetime() as begins, ends=datetime() as ends, streets=streets, live=live):
            span = f"{begins.astimezone(desk.zone):%H:%M}–{f.clock(ends)}"
            if not live:
                says = say("As planned it comes between %(span)s.", span=span)
            elif not streets:
                says = say("It is on its way to you: about %(span)s.", span=span)
            elif streets == 1:
                says = say("One street away from you, about %(span)s.", span=span)
            else:
                says = say("%(n)s streets away from you, about %(span)s.", n=streets, span=span)
        case Promise(state="passed", at=at):
            says = say("It came today at %(time)s.", time=f.clock(at))
        case Promise(state="missed"):
            says = say("It came today, but the bin could not be emptied.")
        case Promise(state="no_news"):
            says = say("It is planned for today, but we have no fresh news of the truck, so we can't say when.")
        case Promise(state="not_today"):
            says = say("No collection is planned here any more today.")
        case _:
            says = say("We don't know this street or bin. Check how it is written.")
    stream = desk.say(request, STREAMS[one.stream]) if one.stream in STREAMS else one.stream
    return Eta(
        state=one.state,
        stream=stream,
        begins=one.begins,
        ends=one.ends,
        streets_away=one.streets,
        live=one.live,
        passed_at=one.at,
        says=says,
    )
