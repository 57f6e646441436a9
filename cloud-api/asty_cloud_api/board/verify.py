"""The pages of verification: /service with its CSV, and the drivers' photos."""

import uuid
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select

from asty_cloud_api.board import service
from asty_cloud_api.board.desk import Desk
from asty_cloud_api.fleet.plan_models import Photo
from asty_cloud_api.reads import terms
from asty_cloud_api.reads.listing import BadQueryError, Query, everything, options, page, parse


def routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    async def show(request: Request) -> Response:
        now, after = datetime.now(UTC), desk.feed.position
        wrong: BadQueryError | None = None
        try:
            day = desk.day(request)
            query = parse(service.SERVICE, request.query_params)
        except BadQueryError as error:
            wrong, day, query = error, desk.today(), Query(sort=service.SERVICE.sort, descending=True)
        listing = service.of_day(day, desk.zone)
        async with desk.engine.connect() as connection:
            found = None if wrong else await page(connection, listing, query, desk.zone, now)
            choices = await options(connection, listing)
            rows = await service.rows(connection, day, desk.zone, now)
            planned, driven = await service.ways(connection, day, desk.zone)
        by_truck = service.sums(rows, "vehicle")
        for one in by_truck:
            one.planned_m = sum(planned[edge] for edge in one.edges if edge in planned) if one.edges & planned.keys() else None
            one.driven_m = sum(driven[edge] for edge in one.edges if edge in driven) if one.edges & driven.keys() else None
        context = {"listing": listing, "query": query, "found": found, "options": choices, "wrong": wrong, "after": after, "now": now}
        context |= {"day": day, "days": desk.days(day), "by_truck": by_truck, "by_stream": service.sums(rows, "stream"), "terms": terms}
        return desk.render(request, "service.html", context, status=422 if wrong else 200)

    async def export(request: Request) -> Response:
        day = desk.day(request)
        listing = service.of_day(day, desk.zone)
        query = parse(listing, request.query_params)
        async with desk.engine.connect() as connection:
            rows = await everything(connection, listing, query, desk.zone, datetime.now(UTC))
        return desk.csv(request, listing, rows, f"service-{day}")

    async def photo(name: uuid.UUID) -> Response:
        async with desk.engine.connect() as connection:
            jpeg = (await connection.execute(select(Photo.jpeg).where(Photo.id == name))).scalar_one_or_none()
        if jpeg is None:
            raise HTTPException(404, "there is no such photo")
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})

    router.add_api_route("/service", show)
    router.add_api_route("/service.csv", export)
    router.add_api_route("/service/photos/{name}.jpg", photo)
    return router
