"""/health for supervisors and /metrics for Prometheus."""

from asty_process.measure import Measured
from asty_process.postgres import is_away, is_not_migrated
from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from asty_cloud_api.interface.shapes import Health
from asty_cloud_api.live.feed import Feed

_PROBE = "SELECT (SELECT count(*) FROM fleet.vehicle WHERE false), (SELECT count(*) FROM telemetry.v_edge WHERE false)"


def routes(engine: AsyncEngine, feed: Feed, measured: Measured) -> APIRouter:
    """Return the router of /health and /metrics."""
    router = APIRouter()

    @router.get("/health", summary="200 when the pages can be shown, else 503", response_model=Health, responses={503: {"model": Health}})
    async def health() -> JSONResponse:
        said = Health(well=True, database="answers", followers=feed.followers)
        try:
            async with engine.connect() as connection:
                await connection.execute(text(_PROBE))
        except (SQLAlchemyError, OSError) as error:
            if is_not_migrated(error):
                said = said.model_copy(update={"well": False, "database": "not migrated"})
            elif is_away(error):
                said = said.model_copy(update={"well": False, "database": "away"})
            else:
                raise
        return JSONResponse(said.model_dump(), 200 if said.well else 503)

    @router.get("/metrics", summary="Prometheus text", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        lines = [
            *measured.lines(),
            "# TYPE asty_cloud_api_live_followers gauge",
            f"asty_cloud_api_live_followers {feed.followers}",
            "# TYPE asty_cloud_api_changes_total counter",
            f"asty_cloud_api_changes_total {feed.changes.number}",
            "# TYPE asty_cloud_api_database_up gauge",
            f"asty_cloud_api_database_up {0 if feed.away else 1}",
        ]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
