"""The pages' addresses: / and, for each list, /{list} and /{list}.csv."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from asty_look import preferences
from asty_look.pages import Pages
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncEngine

from asty_cloud_api.live.feed import Feed
from asty_cloud_api.reads import terms
from asty_cloud_api.reads.alarms import ALARM_HISTORY, OPEN_ALARMS
from asty_cloud_api.reads.bins import BINS
from asty_cloud_api.reads.completeness import COMPLETENESS
from asty_cloud_api.reads.edges import EDGES
from asty_cloud_api.reads.lifts import LIFTS
from asty_cloud_api.reads.listing import BadQueryError, Listing, Query, everything, options, page, parse
from asty_cloud_api.reads.missing import MISSING
from asty_cloud_api.reads.overview import overview
from asty_cloud_api.reads.trucks import TRUCKS
from asty_cloud_api.screens.export import csv_lines

LISTINGS = (TRUCKS, LIFTS, BINS, EDGES, COMPLETENESS, MISSING, OPEN_ALARMS, ALARM_HISTORY)


def routes(engine: AsyncEngine, pages: Pages, feed: Feed, zone: ZoneInfo) -> APIRouter:
    """Return the router of the pages."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    async def live(request: Request) -> Response:
        after = feed.position  # before the reads: a change during them is told again, never missed
        async with engine.connect() as connection:
            seen = await overview(connection, zone, datetime.now(UTC))
        return pages.render(request, "live.html", {"o": seen, "terms": terms, "after": after})

    async def interfaces(request: Request) -> Response:
        return pages.render(request, "interfaces.html", {"api": request.app.openapi()})

    router.add_api_route("/", live)
    router.add_api_route("/api/docs", interfaces)
    for listing in LISTINGS:
        router.add_api_route(f"/{listing.name}", _list_page(listing, engine, pages, feed, zone))
        router.add_api_route(f"/{listing.name}.csv", _list_export(listing, engine, pages, zone))
    return router


def _list_page(listing: Listing, engine: AsyncEngine, pages: Pages, feed: Feed, zone: ZoneInfo) -> Callable[..., Any]:
    async def show(request: Request) -> Response:
        now, after = datetime.now(UTC), feed.position
        wrong: BadQueryError | None = None
        try:
            query = parse(listing, request.query_params)
        except BadQueryError as error:
            wrong, query = error, Query(sort=listing.sort, descending=listing.descending)
        async with engine.connect() as connection:
            found = None if wrong else await page(connection, listing, query, zone, now)
            choices = await options(connection, listing)
        context = {"listing": listing, "query": query, "found": found, "options": choices, "wrong": wrong, "after": after, "now": now}
        return pages.render(request, "list.html", context | {"given": request.query_params, "terms": terms}, status=422 if wrong else 200)

    return show


def _list_export(listing: Listing, engine: AsyncEngine, pages: Pages, zone: ZoneInfo) -> Callable[..., Any]:
    async def export(request: Request) -> Response:
        query = parse(listing, request.query_params)
        async with engine.connect() as connection:
            rows = await everything(connection, listing, query, zone, datetime.now(UTC))
        lines = csv_lines(listing, rows, preferences.read(request).lang, zone, lambda term: pages.gettext(request, term))
        headers = {"Content-Disposition": f'attachment; filename="{listing.name}.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    return export
