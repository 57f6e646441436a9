"""The board itself: /board, its CSV, its map and its JSON."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Query as Param
from fastapi.responses import Response

from asty_cloud_api.board import drawn, today
from asty_cloud_api.board.desk import Desk
from asty_cloud_api.board.lanes import Lane, Line
from asty_cloud_api.board.shapes import BoardDay, of_day
from asty_cloud_api.board.terms import REASONS, STOP_KINDS, STOP_STATES
from asty_cloud_api.board.today import Wanted
from asty_cloud_api.fleet.plans import newest_routes
from asty_cloud_api.interface.routes import IfNoneMatch, collection, tagged
from asty_cloud_api.interface.shapes import Features
from asty_cloud_api.reads.listing import BadQueryError, Column, Listing
from asty_cloud_api.reads.terms import STREAMS

STOPS = Listing(
    name="board",
    title="Stops",
    source="",
    columns=(
        Column("vehicle", "Refuse truck"),
        Column("n", "No.", "number"),
        Column("kind", "Kind", "term", STOP_KINDS),
        Column("id", "Bin", "code"),
        Column("street", "Street"),
        Column("stream", "Waste stream", "term", STREAMS),
        Column("state", "State", "state", STOP_STATES),
        Column("eta", "Planned", "moment"),
        Column("expected", "Expected", "moment"),
        Column("at", "When it happened", "moment"),
        Column("kg", "Net", "kg"),
        Column("reason", "Reason", "term", REASONS),
        Column("version", "Route version", "number"),
        Column("lat", "Latitude", "number"),
        Column("lon", "Longitude", "number"),
    ),
    search=(),
    filters=(),
    sort="vehicle",
    descending=False,
    order="n",
    empty="No stop fits.",
)
OptionalDay = Annotated[date | None, Param(description="service day (05:00 to 05:00, local); today without it")]


def routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter()

    async def show(request: Request) -> Response:
        after, now = desk.feed.position, datetime.now(UTC)
        wrong: BadQueryError | None = None
        try:
            day, wanted = desk.day(request), wanted_of(request)
        except BadQueryError as error:
            wrong, day, wanted = error, desk.today(), Wanted()
        async with desk.engine.connect() as connection:
            seen = await today.read(connection, day, desk.zone, now)
        stops, loose = chosen(seen, wanted)
        context: dict[str, Any] = {"o": seen, "days": desk.days(day), "after": after, "wanted": wanted, "stops": stops, "loose": loose}
        context |= {"streets": streets(seen), "axis": drawn.axis(seen.lanes, now, desk.zone), "wrong": wrong}
        return desk.render(request, "board.html", context, status=422 if wrong else 200)

    async def export(request: Request) -> Response:
        day, wanted = desk.day(request), wanted_of(request)
        async with desk.engine.connect() as connection:
            seen = await today.read(connection, day, desk.zone, datetime.now(UTC))
        stops, loose = chosen(seen, wanted)
        rows = [{key: getattr(line, key, None) for key in _KEYS} | {"vehicle": one.vehicle, "version": one.version} for one, line in stops]
        rows += [{key: row.get(key) for key in _KEYS} | {"kind": "bin", "id": row["bin"]} for row in loose]
        return desk.csv(request, STOPS, rows, f"board-{day}")

    router.add_api_route("/board", show, include_in_schema=False)
    router.add_api_route("/board.csv", export, include_in_schema=False)

    @router.get("/api/board", summary="A day's routes with progress, next stop and expected times, per truck")
    async def as_json(day: OptionalDay = None) -> BoardDay:
        async with desk.engine.connect() as connection:
            return of_day(await today.read(connection, day or desk.today(), desk.zone, datetime.now(UTC)))

    @router.get("/api/board/map.geojson", summary="Routes, stops and closures of a day; `layer` tells them apart", response_model=Features)
    async def as_map(request: Request, day: OptionalDay = None, if_none_match: IfNoneMatch = None) -> Response:
        now = datetime.now(UTC)
        async with desk.engine.connect() as connection:
            seen = await today.read(connection, day or desk.today(), desk.zone, now)
            newest = await newest_routes(connection, seen.day)
        signs = {one.edge: one.sign for one in seen.lanes}
        f = desk.pages.formats(request)
        features = drawn.ways([dict(route) for route in newest], signs)
        features += drawn.features(seen.lanes, seen.loose, seen.closures, now, f, lambda term: desk.say(request, term))
        return tagged(request, collection(features), if_none_match)

    return router


_KEYS = tuple(column.key for column in STOPS.columns)


def wanted_of(request: Request) -> Wanted:
    """Read the filters of the board. Raises BadQueryError."""
    given = {name: (request.query_params.get(name) or "").strip() for name in ("truck", "state", "street", "q")}
    if given["state"] and given["state"] not in STOP_STATES:
        raise BadQueryError("state", given["state"][:40], "There is no such choice.")
    for name, value in given.items():
        if len(value) > 100 or "\0" in value:
            raise BadQueryError(name, value[:100], "A search has at most 100 characters.")
    return Wanted(**given)


def chosen(seen: today.Today, wanted: Wanted) -> tuple[list[tuple[Lane, Line]], list[Any]]:
    """The stops that fit, soonest first of what is still to do, then what is done; and the lifts and stops of no lane that fit."""
    stops = [(one, line) for one in seen.lanes for line in one.lines if wanted.takes(one, line)]
    stops.sort(key=lambda pair: (pair[1].state in ("served", "missed", "withdrawn"), pair[1].time, pair[0].edge, pair[1].n))
    loose = [row for row in seen.loose if wanted.takes_row(row)]
    return stops, loose


def streets(seen: today.Today) -> list[str]:
    return sorted({line.street for one in seen.lanes for line in one.lines if line.street and line.kind == "bin"})
