"""The pages of the tablet: its one shell, the manifest that makes it an app, and the service worker that keeps it."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from asty_look import assets
from asty_look.assets import asset
from asty_look.pages import Pages
from fastapi import APIRouter, Request
from fastapi.responses import Response

from asty_cloud_api.cab import shift
from asty_cloud_api.cab.office import Cab

SCOPE = "/cab"
KEPT = ("cab-look.css", "cab-night.css", "cab.js", "map-worker.js", "icon.svg", "cab-icon.svg")
FONTS = ("commissioner-greek-wght-normal.woff2", "commissioner-latin-wght-normal.woff2")
LAYERS = ("/api/streets.geojson", "/api/areas.geojson", "/api/places.geojson")
# a tablet's own receiver and camera, for this page alone
POLICY = "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()"


def routes(pages: Pages, cab: Cab, zone: ZoneInfo) -> APIRouter:
    """Return the router of /cab."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    async def shell(request: Request) -> Response:
        async with cab.engine.connect() as connection:
            centre = await shift.centre(connection)
        answer = pages.render(request, "cab.html", {"zone": zone.key, "layers": LAYERS, "centre": centre})
        answer.headers["Permissions-Policy"] = POLICY
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    async def worker(_request: Request) -> Response:
        files = tuple(asset(name) for name in (*KEPT, *FONTS))
        keep = {"shell": SCOPE, "files": files, "layers": LAYERS, "build": _build(files)}
        body = f"self.KEEP = {json.dumps(keep)};\n".encode() + _worker_code()
        headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": SCOPE}
        return Response(body, media_type="text/javascript; charset=utf-8", headers=headers)

    async def manifest(request: Request) -> Response:
        icon = asset("cab-icon.svg")
        body = {
            "id": SCOPE,
            "name": pages.gettext(request, "Asty for drivers"),
            "short_name": pages.gettext(request, "Asty route"),
            "lang": "el",
            "start_url": SCOPE,
            "scope": SCOPE,
            "display": "fullscreen",
            "display_override": ["fullscreen", "standalone"],
            "orientation": "any",
            "background_color": "#0d141c",
            "theme_color": "#072a58",
            "icons": [
                *({"src": icon, "sizes": "any", "type": "image/svg+xml", "purpose": purpose} for purpose in ("any", "maskable")),
                *({"src": asset(f"cab-icon-{n}.png"), "sizes": f"{n}x{n}", "type": "image/png", "purpose": "any"} for n in (192, 512)),
            ],
        }
        return Response(json.dumps(body, ensure_ascii=False), media_type="application/manifest+json", headers={"Cache-Control": "no-cache"})

    router.add_api_route(SCOPE, shell)
    router.add_api_route(f"{SCOPE}/sw.js", worker)
    router.add_api_route(f"{SCOPE}/manifest.webmanifest", manifest)
    return router


@lru_cache(maxsize=1)
def _build(files: tuple[str, ...]) -> str:
    """Return what names this build: files carry their hash, the shell's words are in the template and the catalogues."""
    here = Path(__file__).parent.parent
    digest = hashlib.blake2b("".join(files).encode(), digest_size=8)
    for path in (here / "templates" / "cab.html", *sorted((here / "locale" / "el").glob("*.po"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _worker_code() -> bytes:
    return (assets.DIST / asset("cab-worker.js").removeprefix("/static/")).read_bytes()
