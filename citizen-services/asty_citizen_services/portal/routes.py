"""The portal's addresses."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from asty_citizen_services.screens import Screens


def routes(screens: Screens) -> APIRouter:
    """Return the router of the citizen's pages."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    @router.get("/")
    def home(request: Request) -> Response:
        return screens.render(request, "portal/home.html")

    return router
