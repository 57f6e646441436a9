"""Signing out, which citizens and staff share."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import Database
from asty_citizen_services.identity import sessions


def routes(database: Database, cookies: Cookies) -> APIRouter:
    """Return the router of /sign-out."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    @router.post("/sign-out")
    def sign_out(request: Request) -> Response:
        if token := request.cookies.get(cookies.session):
            with database.begin() as session:
                sessions.end(session, token)
        answer = RedirectResponse("/", 303)
        cookies.clear(answer, cookies.session)
        return answer

    return router
