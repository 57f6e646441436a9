"""The addresses that a tablet asks: below /api/cab."""

import math
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Cookie, Depends, Header, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from asty_cloud_api.cab import journal, photos, shift
from asty_cloud_api.cab.actions import Sending
from asty_cloud_api.cab.office import Cab, Opened, Refused
from asty_cloud_api.cab.session import KNOWN_TABLET, SENDING, SignIn, now
from asty_cloud_api.fleet.plan_models import Photo
from asty_cloud_api.live.feed import Change, Feed, while_allowed

COOKIE, TABLET, PATH = "cab", "cab-tablet", "/api/cab"
MOST_BODY = 1_000_000
NO_STORE = {"Cache-Control": "no-store"}
Place = tuple[float, float]
Way = Callable[[str, Place, Place], Awaitable[dict[str, Any] | None]]
"""(edge, from, to), both (lat, lon): a leg as a route's path has it; None when the roads do not answer, or lead nowhere."""
OF_THE_SHIFT = frozenset({"lift", "route", "outcome", "message", "plan", "action"})


class Credentials(BaseModel):
    """Who signs in, and on which truck: by PIN, or by the card as its reader types it."""

    edge: str = Field(min_length=1, max_length=64)
    pin: str | None = Field(None, max_length=8)
    card: str | None = Field(None, max_length=64)


def routes(cab: Cab, feed: Feed, zone: ZoneInfo, way: Way) -> APIRouter:
    """Return the router of /api/cab; `way` finds directions for a truck that has left its route."""
    router = APIRouter(prefix=PATH)
    router.include_router(_signing(cab))
    router.include_router(_driving(cab, feed, zone))
    router.include_router(_leading(cab, way))
    router.include_router(_sending(cab))
    return router


def _signing(cab: Cab) -> APIRouter:
    router = APIRouter()

    @router.get("/trucks", summary="The trucks that a tablet can be fixed to")
    async def trucks() -> list[dict[str, Any]]:
        async with cab.engine.connect() as connection:
            return await shift.trucks(connection)

    @router.post("/sign-in", summary="A driver signs in by PIN or card; wrong tries are limited per tablet")
    async def sign_in(request: Request, given: Credentials, tablet: Annotated[str | None, Cookie(alias=TABLET)] = None) -> Response:
        done = await cab.sign_in(given.edge, given.pin, given.card, tablet, now())
        if isinstance(done, Opened):
            return _welcome(done, secure=request.url.scheme == "https")
        return _turn_away(done)

    @router.post("/sign-out", summary="The driver leaves the tablet", status_code=204)
    async def sign_out() -> Response:
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, path=PATH)
        return answer

    return router


def _welcome(done: Opened, *, secure: bool) -> Response:
    answer = JSONResponse({"driver": {"id": str(done.who.driver), "name": done.who.name}, "edge": done.who.edge}, headers=NO_STORE)
    for name, token, within in ((COOKIE, done.token, SENDING), (TABLET, done.device_token, KNOWN_TABLET)):
        age = int(within.total_seconds())
        answer.set_cookie(name, token, max_age=age, path=PATH, httponly=True, samesite="strict", secure=secure)
    return answer


def _turn_away(refused: Refused) -> Response:
    if refused.wait_s is not None:
        wait = math.ceil(refused.wait_s)
        return JSONResponse({"error": "too many wrong tries", "wait": wait}, 429, {**NO_STORE, "Retry-After": str(wait)})
    if refused.left is not None:
        return JSONResponse({"error": "this PIN or card is nobody's", "left": refused.left}, 401, NO_STORE)
    return JSONResponse({"error": "this truck is not in the register"}, 404, NO_STORE)


def _signed_in(cab: Cab, *, today: bool) -> Any:
    """Return the dependency that names the driver; `today`: a sign-in of another day does not do. Raises HTTPException 401."""

    async def who(token: Annotated[str | None, Cookie(alias=COOKIE)] = None) -> SignIn:
        found = await cab.who(token, now())
        if found is None or (today and not found.holds(now())):
            raise HTTPException(401, "nobody is signed in on this tablet")
        return found

    return Depends(who)


def _driving(cab: Cab, feed: Feed, zone: ZoneInfo) -> APIRouter:
    router = APIRouter()
    driver = _signed_in(cab, today=True)

    @router.get("/shift", summary="The whole shift as one document: route, outcomes, lifts, messages")
    async def whole_shift(who: SignIn = driver) -> Response:
        async with cab.engine.connect() as connection:
            document = await shift.document(connection, who, now(), zone)
        return _json(document)

    @router.get(
        "/events",
        summary="Server-sent events of the tablet's truck: `position`; `shift` when the shift is to be read again; `quiet`",
        response_class=StreamingResponse,
    )
    async def events(
        who: SignIn = driver,
        token: Annotated[str | None, Cookie(alias=COOKIE)] = None,
        after: Annotated[str | None, Query(max_length=40, description="id of the last event that the tablet has")] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> StreamingResponse:
        headers = {**NO_STORE, "X-Accel-Buffering": "no"}
        followed = while_allowed(_follow(cab, feed, who.edge, last_event_id or after), lambda: _drives(cab, token))
        return StreamingResponse(followed, media_type="text/event-stream", headers=headers)

    return router


def _leading(cab: Cab, way: Way) -> APIRouter:
    router = APIRouter()
    driver = _signed_in(cab, today=True)
    latitude, longitude = Query(ge=-90, le=90), Query(ge=-180, le=180)

    @router.get("/way", summary="Directions from where the truck is to its next stop, past what is closed; 404 where there are none")
    async def directions(
        lat: Annotated[float, latitude],
        lon: Annotated[float, longitude],
        to_lat: Annotated[float, latitude],
        to_lon: Annotated[float, longitude],
        who: SignIn = driver,
    ) -> Response:
        found = await way(who.edge, (lat, lon), (to_lat, to_lon))
        if found is None:
            raise HTTPException(404, "no way is known from here: the roads do not answer, or lead nowhere")
        return _json(found)

    return router


def _sending(cab: Cab) -> APIRouter:
    router = APIRouter()
    driver = _signed_in(cab, today=False)

    @router.post("/actions", summary="What the driver did, oldest first; the same key twice is kept once")
    async def actions(request: Request, who: SignIn = driver) -> Response:
        try:
            sent = msgspec.json.decode(await _body(request, MOST_BODY), type=Sending)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return JSONResponse({"error": f"this is no sending: {error}"}, 422)
        return _json({"answers": await journal.take(cab.engine, sent.actions, who)})

    @router.put("/photos/{photo}", summary="A photo of an exception: JPEG, PNG or WebP; kept re-encoded, without EXIF", status_code=204)
    async def put_photo(
        request: Request,
        photo: Annotated[uuid.UUID, Path(description="born on the tablet; sent twice it is kept once")],
        of: Annotated[uuid.UUID, Query(description="key of the outcome that it shows")],
        _who: SignIn = driver,
    ) -> Response:
        body = await _body(request, photos.MOST_BYTES)
        try:
            jpeg = await run_in_threadpool(photos.clean, body)
        except photos.NoPhotoError as error:
            return JSONResponse({"error": str(error)}, 422)
        await journal.keep_photo(cab.engine, photo, jpeg, of, now())
        return Response(status_code=204)

    @router.get("/photos/{photo}", summary="A photo as JPEG", response_class=Response)
    async def get_photo(photo: uuid.UUID) -> Response:
        async with cab.engine.connect() as connection:
            jpeg = await connection.scalar(select(Photo.jpeg).where(Photo.id == photo))
        if jpeg is None:
            raise HTTPException(404, "there is no such photo")
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})

    return router


async def _drives(cab: Cab, token: str | None) -> bool:
    """Tell whether the driver may still follow. While the database is away nobody is sent off."""
    try:
        found = await cab.who(token, now())
    except (SQLAlchemyError, OSError):
        return True
    return found is not None and found.holds(now())


async def _follow(cab: Cab, feed: Feed, edge: str, after: str | None) -> AsyncGenerator[bytes]:
    """Yield what concerns one truck."""
    yield b"retry: 2000\n: asty\n\n"
    async with aclosing(feed.news(after)) as heard:
        async for news in heard:
            match news:
                case Change() if not news.edges or edge in news.edges:
                    kinds = set(news.kinds)
                    if not kinds or "pos" in kinds:
                        async with cab.engine.connect() as connection:
                            place = await shift.position(connection, edge)
                        yield feed.event(news, "position", msgspec.to_builtins(place))
                    if not kinds or kinds & OF_THE_SHIFT:
                        yield feed.event(news, "shift", {"kinds": news.kinds})
                case "quiet":
                    yield b"event: quiet\ndata: {}\n\n"
                case _:
                    pass


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json", headers=NO_STORE)


async def _body(request: Request, most: int) -> bytes:
    """Return the request's body. Raises HTTPException 413."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise HTTPException(413, f"at most {most} bytes are taken")
    return body
