"""/health for supervisors and /metrics for Prometheus."""

from asty_process.measure import Measured
from asty_process.postgres import is_away, is_not_migrated
from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from asty_citizen_services.database import Database

_PROBE = text("SELECT (SELECT count(*) FROM session WHERE false), (SELECT count(*) FROM procrastinate_jobs WHERE false)")
_QUEUE = text("SELECT status::text, count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1 ORDER BY 1")


class Health(BaseModel):
    """Whether pages can be shown, and what the database says."""

    well: bool
    database: str


def routes(database: Database, measured: Measured) -> APIRouter:
    """Return the router of /health and /metrics."""
    router = APIRouter()

    @router.get("/health", summary="200 when the pages can be shown, else 503", response_model=Health, responses={503: {"model": Health}})
    def health() -> JSONResponse:
        said = Health(well=True, database="answers")
        try:
            with database.begin() as session:
                session.execute(_PROBE)
        except (SQLAlchemyError, OSError) as error:
            if is_not_migrated(error):
                said = Health(well=False, database="not migrated")
            elif is_away(error):
                said = Health(well=False, database="away")
            else:
                raise
        return JSONResponse(said.model_dump(), 200 if said.well else 503)

    @router.get("/metrics", summary="Prometheus text", response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        with database.begin() as session:
            queue = [f'asty_citizen_jobs{{status="{status}"}} {number}' for status, number in session.execute(_QUEUE)]
        lines = [*measured.lines(), "# TYPE asty_citizen_jobs gauge", *queue]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
