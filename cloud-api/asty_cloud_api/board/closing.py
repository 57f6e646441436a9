"""Closed streets: /board/closures. Drawn on the map, or chosen by the street's name and two crossings."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi import Query as Param
from fastapi.responses import Response
from pydantic import BaseModel, Field

from asty_cloud_api.board.desk import Desk, done
from asty_cloud_api.board.ports import Closing, NotDoneError
from asty_cloud_api.board.street_area import Block, Street, names, streets_of
from asty_cloud_api.board.terms import CLOSURE_KINDS, CLOSURE_STATES
from asty_cloud_api.interface.routes import collection, tagged
from asty_cloud_api.interface.shapes import Features
from asty_cloud_api.reads.listing import BadQueryError, Choice, Column, Listing, Query, everything, page, parse
from asty_cloud_api.staff.person import Acting

# What was closed in one act (the blocks of a street) is one line.
_SOURCE = """
SELECT name, kind, starts, ends, source, max(made_by) AS made_by, max(changed_by) AS changed_by,
       count(*) AS areas, array_agg(id::text ORDER BY id) AS ids, min(created) AS created,
       CASE WHEN ends <= CAST(:now AS timestamptz) THEN 'over' WHEN starts > CAST(:now AS timestamptz) THEN 'coming' ELSE 'now' END AS state
FROM fleet.closure GROUP BY name, kind, starts, ends, source
"""
CLOSURES = Listing(
    name="closures",
    title="Closures",
    source=_SOURCE,
    columns=(
        Column("name", "Closure"),
        Column("kind", "Kind", "term", CLOSURE_KINDS),
        Column("state", "State", "state", CLOSURE_STATES),
        Column("starts", "From", "moment"),
        Column("ends", "Until", "moment"),
        Column("areas", "Areas", "number"),
        Column("source", "Source", shown=False),
        Column("made_by", "Closed by", shown=False),
        Column("changed_by", "Changed by", shown=False),
    ),
    search=("name",),
    filters=(
        Choice("state", "State", {state: (term, f"state = '{state}'") for state, term in CLOSURE_STATES.items()}),
        Choice("kind", "Kind", {kind: (term, f"kind = '{kind}'") for kind, term in CLOSURE_KINDS.items()}),
    ),
    sort="starts",
    descending=True,
    order="name",
    empty="No closure fits.",
)
_WRITTEN = "%Y-%m-%dT%H:%M"
Line = Annotated[str, Form(max_length=120)]
Names = Annotated[list[uuid.UUID], Form()]


class Typed(BaseModel):
    """The form that closes a street: times are local, `area` is a drawn GeoJSON Polygon, `begin` and `end` are crossings of `street`."""

    name: str = Field("", max_length=120)
    kind: str = Field("works", max_length=20)
    starts: str = Field("", max_length=30)
    ends: str = Field("", max_length=30)
    area: str = Field("", max_length=20_000)
    street: str = Field("", max_length=120)
    begin: str = Field("", max_length=10)
    end: str = Field("", max_length=10)


def routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter(default_response_class=Response)
    router.include_router(_Screen(desk).router(), include_in_schema=False)

    @router.get("/api/board/street.geojson", summary="What would be closed of a street: an area for each block", response_model=Features)
    async def preview(
        request: Request,
        street: Annotated[str, Param(max_length=120)],
        begin: Annotated[str, Param(max_length=10)] = "",
        end: Annotated[str, Param(max_length=10)] = "",
    ) -> Response:
        async with desk.engine.connect() as connection:
            streets = await streets_of(connection)
        try:
            found = _blocks(streets, street, begin, end)
        except NotDoneError as error:
            raise HTTPException(404, error.term) from error
        features = [{"type": "Feature", "geometry": one.area, "properties": {"layer": "closure", "name": one.name}} for one in found]
        return tagged(request, collection(features), None)

    return router


class _Screen:
    """The page with its form, its list and the acts on it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def router(self) -> APIRouter:
        router = APIRouter(default_response_class=Response)
        router.add_api_route("/board/closures", self.show)
        router.add_api_route("/board/closures.csv", self.export)
        router.add_api_route("/board/closures", self.add, methods=["POST"])
        router.add_api_route("/board/closures/change", self.change, methods=["POST"])
        router.add_api_route("/board/closures/end", self.end, methods=["POST"])
        return router

    async def show(self, request: Request) -> Response:
        return await self._page(request, None, {})

    async def export(self, request: Request) -> Response:
        query = parse(CLOSURES, request.query_params)
        async with self._desk.engine.connect() as connection:
            rows = await everything(connection, CLOSURES, query, self._desk.zone, datetime.now(UTC))
        return self._desk.csv(request, CLOSURES, rows, "closures")

    async def add(self, request: Request, person: Acting, typed: Annotated[Typed, Form()]) -> Response:
        try:
            await self._add(typed, person.name)
        except NotDoneError as error:
            return await self._page(request, error, typed.model_dump())
        return done("/board/closures?done=closed")

    async def _add(self, typed: Typed, by: str) -> None:
        since, until = self._times(typed.starts, typed.ends)
        drawn, street = typed.area.strip(), typed.street.strip()
        if drawn:
            areas = [_drawn(drawn)]
        else:
            async with self._desk.engine.connect() as connection:
                areas = [block.area for block in _blocks(await streets_of(connection), street, typed.begin, typed.end)]
        name = typed.name.strip() or ("" if drawn else street)
        _check(name, typed.kind)
        await self._desk.closures.add([Closing(name, typed.kind, area, since, until, by) for area in areas])

    async def change(
        self, request: Request, person: Acting, ids: Names, name: Line = "", kind: Line = "", starts: Line = "", ends: Line = ""
    ) -> Response:
        try:
            since, until = self._times(starts, ends)
            _check(name.strip(), kind)
            await self._desk.closures.change(ids, name.strip(), kind, since, until, person.name)
        except NotDoneError as error:
            return await self._page(request, error, {})
        return done("/board/closures?done=changed")

    async def end(self, request: Request, person: Acting, ids: Names) -> Response:
        try:
            await self._desk.closures.end(ids, person.name)
        except NotDoneError as error:
            return await self._page(request, error, {})
        return done("/board/closures?done=ended")

    async def _page(self, request: Request, said: NotDoneError | None, typed: Mapping[str, str]) -> Response:
        desk, now = self._desk, datetime.now(UTC)
        after = desk.feed.position
        wrong: BadQueryError | None = None
        try:
            query = parse(CLOSURES, request.query_params)
        except BadQueryError as error:
            wrong, query = error, Query(sort=CLOSURES.sort, descending=True)
        chosen = (typed.get("street") or request.query_params.get("street") or "").strip()
        async with desk.engine.connect() as connection:
            found = None if wrong else await page(connection, CLOSURES, query, desk.zone, now)
            streets = await streets_of(connection)
        local = now.astimezone(desk.zone).replace(second=0, microsecond=0)
        blank = {"starts": local.strftime(_WRITTEN), "ends": (local + timedelta(hours=8)).strftime(_WRITTEN), "kind": "works"}
        context = {"listing": CLOSURES, "query": query, "found": found, "wrong": wrong, "after": after, "said": said}
        context |= {"typed": blank | dict(typed), "streets": names(streets), "street": chosen}
        context |= {"crossings": Street(streets, chosen).crossings if chosen else ()}
        context |= {"written": lambda at: at.astimezone(desk.zone).strftime(_WRITTEN)}
        return desk.render(request, "board-closures.html", context, status=422 if wrong or said else 200)

    def _times(self, starts: str, ends: str) -> tuple[datetime, datetime]:
        """Read local times as they are typed."""
        try:
            since, until = (datetime.fromisoformat(one).replace(tzinfo=self._desk.zone).astimezone(UTC) for one in (starts, ends))
        except ValueError as error:
            raise NotDoneError("From and until are a day and a time. Nothing was closed.") from error
        if until <= since:
            raise NotDoneError("A closure ends after it begins. Nothing was closed.")
        return since, until


def _check(name: str, kind: str) -> None:
    if not name:
        raise NotDoneError("A closure needs a name that drivers understand. Nothing was closed.")
    if kind not in CLOSURE_KINDS:
        raise NotDoneError("There is no such choice.")


def _drawn(area: str) -> Any:
    try:
        return json.loads(area)
    except ValueError as error:
        raise NotDoneError("The drawn area can't be read. Draw it again. Nothing was closed.") from error


def _blocks(features: list[dict[str, Any]], street: str, begin: str, end: str) -> tuple[Block, ...]:
    if not street:
        raise NotDoneError("Draw an area on the map, or choose a street. Nothing was closed.")
    if bool(begin) != bool(end):
        raise NotDoneError("Choose both crossings, or none for the whole street. Nothing was closed.")
    try:
        blocks = Street(features, street).blocks(int(begin) if begin else None, int(end) if end else None)
    except (KeyError, ValueError) as error:
        raise NotDoneError("The street has no such crossing. Nothing was closed.") from error
    if not blocks:
        raise NotDoneError("The map has no such street, or its parts do not hang together there. Nothing was closed.")
    return blocks
