"""Pages of this server: the look's, with the form token and whoever is signed in."""

from collections.abc import Mapping
from typing import Any

from asty_look.pages import Pages
from starlette.requests import Request
from starlette.responses import HTMLResponse

from asty_citizen_services import csrf


class Screens(Pages):
    """Renders templates named `room/page.html`; each has `csrf` (for `<input type=hidden name=csrf>`), `visitor`,
    `municipality` and `kiosk` (None in ordinary browsers).
    """

    municipality = ""

    def render(self, request: Request, name: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> HTMLResponse:
        common = {
            "csrf": csrf.token(request),
            "visitor": getattr(request.state, "visitor", None),
            "municipality": self.municipality,
            "kiosk": getattr(request.state, "kiosk", None),
        }
        response = super().render(request, name, common | dict(context or {}), status=status)
        csrf.keep(request, response)
        return response
