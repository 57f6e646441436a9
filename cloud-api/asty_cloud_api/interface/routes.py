"""The addresses for programs, and for the map of the live page."""

import gzip
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from asty_look.pages import Pages
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from asty_cloud_api.fleet.models import TownLayer
from asty_cloud_api.interface import geojson
from asty_cloud_api.interface.shapes import Completeness, Edge, Features, Lift, OpenAlarm
from asty_cloud_api.live.feed import Feed, while_allowed
from asty_cloud_api.reads.alarms import OPEN_ALARMS
from asty_cloud_api.reads.bins import BINS
from asty_cloud_api.reads.completeness import COMPLETENESS
from asty_cloud_api.reads.edges import EDGES
from asty_cloud_api.reads.lifts import LIFTS
from asty_cloud_api.reads.listing import Listing, Row, everything
from asty_cloud_api.reads.listing import Query as ListQuery
from asty_cloud_api.reads.trucks import TRUCKS
from asty_cloud_api.staff.gate import still_in

GEOJSON = "application/geo+json"
IfNoneMatch = Annotated[str | None, Header()]
Name = Annotated[str | None, Query(max_length=32, pattern=r"^[a-z0-9-]+$", description="an edge's id")]
_LIFTS = f"""
SELECT * FROM ({LIFTS.source}) AS l
WHERE (CAST(:since AS timestamptz) IS NULL OR t > :since) AND (CAST(:edge AS text) IS NULL OR edge = :edge)
ORDER BY t DESC, edge, epoch, s DESC LIMIT :limit
"""  # noqa: S608  the listing's own text


def routes(engine: AsyncEngine, pages: Pages, feed: Feed, zone: ZoneInfo) -> APIRouter:
    """Return the router of /api and /live."""
    router = APIRouter()

    async def rows_of(listing: Listing, now: datetime) -> list[Row]:
        async with engine.connect() as connection:
            query = ListQuery(sort=listing.sort, descending=listing.descending)
            return list(await everything(connection, listing, query, zone, now))

    @router.get("/api/edges", summary="How every gateway and its devices are")
    async def edges() -> list[Edge]:
        return [Edge(**row) for row in await rows_of(EDGES, datetime.now(UTC))]

    @router.get("/api/lifts", summary="Lifts, newest first")
    async def lifts(
        since: Annotated[datetime | None, Query(description="only lifts after this time; ISO 8601 with an offset")] = None,
        edge: Name = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    ) -> list[Lift]:
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        async with engine.connect() as connection:
            found = await connection.execute(text(_LIFTS), {"since": since, "edge": edge, "limit": limit})
            return [Lift(**row) for row in found.mappings()]

    @router.get("/api/completeness", summary="What each truck produced, and what is stored or missing, by shift; the last 14 days")
    async def completeness(edge: Name = None) -> list[Completeness]:
        now = datetime.now(UTC)
        first = (now - timedelta(days=14)).date()
        found = await rows_of(COMPLETENESS, now)
        return [Completeness(**row) for row in found if row["day"] >= first and edge in (None, row["edge"])]

    @router.get("/api/alarms", summary="Open alarms, newest first")
    async def alarms() -> list[OpenAlarm]:
        return [OpenAlarm(**row) for row in await rows_of(OPEN_ALARMS, datetime.now(UTC))]

    @router.get("/api/trucks.geojson", summary="Last position of every truck", response_model=Features)
    async def trucks(request: Request, if_none_match: IfNoneMatch = None) -> Response:
        now = datetime.now(UTC)
        features = geojson.trucks(await rows_of(TRUCKS, now), pages.formats(request), lambda term: pages.gettext(request, term), now)
        return tagged(request, collection(features), if_none_match)

    @router.get("/api/bins.geojson", summary="Every bin with the time of its last lift", response_model=Features)
    async def bins(request: Request, if_none_match: IfNoneMatch = None) -> Response:
        now = datetime.now(UTC)
        features = geojson.bins(await rows_of(BINS, now), pages.formats(request), lambda term: pages.gettext(request, term), now)
        return tagged(request, collection(features), if_none_match)

    def add_layer(name: str, about: str) -> None:
        async def layer(request: Request, if_none_match: IfNoneMatch = None) -> Response:
            async with engine.connect() as connection:
                packed = await _layer(connection, name)
            return tagged(request, packed or collection([]), if_none_match)

        router.add_api_route(f"/api/{name}.geojson", layer, summary=about, response_model=Features)

    add_layer("streets", "The town's streets and paths; `layer` is street or path")
    add_layer("areas", "Sea, parks, squares, buildings")
    add_layer("places", "Schools, markets, offices and other places")

    @router.get(
        "/live/events",
        summary="Server-sent events: `changed` with kinds and edges, `away` while the database is; ends with the sign-in",
        response_class=StreamingResponse,
    )
    async def events(
        request: Request,
        after: Annotated[str | None, Query(max_length=40, description="id of the last event that the page has")] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> StreamingResponse:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        followed = while_allowed(feed.follow(last_event_id or after), lambda: still_in(request))
        return StreamingResponse(followed, media_type="text/event-stream", headers=headers)

    return router


async def _layer(connection: AsyncConnection, name: str) -> bytes | None:
    return (await connection.execute(select(TownLayer.geojson_gz).where(TownLayer.name == name))).scalar_one_or_none()


def collection(features: list[dict[str, Any]]) -> bytes:
    """Return features as gzipped GeoJSON; equal features give equal bytes."""
    return gzip.compress(msgspec.json.encode({"type": "FeatureCollection", "features": features}), compresslevel=5, mtime=0)


def tagged(request: Request, packed: bytes, if_none_match: str | None) -> Response:
    """Answer with gzipped GeoJSON, or with 304 when the reader has these very bytes."""
    etag = f'"{hashlib.blake2b(packed, digest_size=12).hexdigest()}"'
    headers: Mapping[str, str] = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding, Cookie"}
    if if_none_match is not None and etag in {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=GEOJSON, headers={**headers, "Content-Encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type=GEOJSON, headers=headers)
