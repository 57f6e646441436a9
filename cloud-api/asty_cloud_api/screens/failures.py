"""What a person or a program is told when something can't be shown."""

import logging
from typing import cast

import psycopg
from asty_look.pages import Pages
from asty_process.postgres import is_away, is_not_migrated, is_unstorable
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from asty_cloud_api.live.feed import Feed
from asty_cloud_api.reads.listing import BadQueryError

log = logging.getLogger(__name__)
RETRY_AFTER = {"Retry-After": "5"}


def install(app: FastAPI, pages: Pages, feed: Feed) -> None:
    """Give every failure an answer of its own: JSON below /api, else a page."""

    async def database(request: Request, error: Exception) -> Response:
        if is_not_migrated(error):
            reason, advice = "the database's tables are missing or old", "run asty-stream migrate and asty-cloud-api migrate"
        elif is_away(error):
            reason, advice = "the database does not answer", "start PostgreSQL, or check ASTY_DATABASE_DSN"
        elif is_unstorable(error):
            return JSONResponse({"error": "a parameter holds what can't be stored"}, 422)
        else:
            raise error
        log.warning("%s: %s (%s); %s", request.url.path, reason, str(error).split("\n", 1)[0], advice)
        if _wants_json(request):
            return JSONResponse({"error": reason, "advice": f"{advice}; this recovers by itself"}, 503, RETRY_AFTER)
        context = {"missing": is_not_migrated(error), "after": feed.position}
        answer = pages.render(request, "away.html", context, status=503)
        answer.headers.update(RETRY_AFTER)
        return answer

    async def bad_query(request: Request, error: Exception) -> Response:
        wrong = cast("BadQueryError", error)
        if _wants_json(request):
            return JSONResponse({"error": wrong.expected, "parameter": wrong.name, "given": wrong.given}, 422)
        return pages.render(request, "wrong.html", {"wrong": wrong}, status=422)

    async def invalid(_request: Request, error: Exception) -> Response:
        problems = cast("RequestValidationError", error).errors()
        said = [
            {"parameter": ".".join(str(part) for part in p["loc"][1:]), "error": p["msg"], "given": str(p.get("input"))[:100]}
            for p in problems
        ]
        return JSONResponse({"error": "a parameter can't be read", "problems": said}, 422)

    async def http(request: Request, error: Exception) -> Response:
        said = cast("HTTPException", error)
        if _wants_json(request) or said.status_code != 404:
            return JSONResponse({"error": said.detail}, said.status_code, said.headers)
        return pages.render(request, "nothing.html", status=404)

    for kind in (SQLAlchemyError, psycopg.Error, OSError):
        app.add_exception_handler(kind, database)
    app.add_exception_handler(BadQueryError, bad_query)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/live/", "/health", "/metrics"))
