"""What a phone needs to put the portal on its home screen, and to have something to show without a connection."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from asty_look import assets
from asty_look.assets import asset

OFFLINE = "/offline"
PAGES = ("/", "/accessibility")
"""Public pages that are kept from the first visit on; a service's page is kept once it was read."""
FILES = (
    "asty.css", "night.css", "portal.js", "icon.svg", "commissioner-greek-wght-normal.woff2", "commissioner-latin-wght-normal.woff2",
)  # fmt: skip
ICONS = (
    ("icon.svg", "image/svg+xml", "any", "any"),
    ("portal-icon-192.png", "image/png", "192x192", "any"),
    ("portal-icon-512.png", "image/png", "512x512", "any"),
    ("portal-icon-maskable.png", "image/png", "512x512", "maskable"),
)


def manifest(municipality: str, lang: str) -> dict[str, Any]:
    """Return the web app manifest."""
    return {
        "name": f"{municipality} · Άστυ",
        "short_name": "Άστυ",
        "lang": lang,
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f6f8",
        "theme_color": "#0a3a78",
        "icons": [{"src": asset(name), "type": kind, "sizes": sizes, "purpose": purpose} for name, kind, sizes, purpose in ICONS],
    }


def worker(catalogue: str) -> bytes:
    """Return the service worker's code; `catalogue` names the catalogue's version, a new one makes browsers fetch the pages again."""
    files = tuple(asset(name) for name in FILES)
    keep = {"offline": OFFLINE, "pages": PAGES, "files": files, "icon": asset("portal-icon-192.png"), "build": _build(files, catalogue)}
    return f"self.KEEP = {json.dumps(keep)};\n".encode() + _code()


@lru_cache(maxsize=1)
def _build(files: tuple[str, ...], catalogue: str) -> str:
    """Return what names this build: files carry their hash, the pages' words are in the templates and the terms."""
    here = Path(__file__).parent.parent
    digest = hashlib.blake2b(f"{files}{catalogue}".encode(), digest_size=8)
    pages = (here / "templates" / name for name in ("civic.html", "portal/home.html", "portal/service.html", "portal/offline.html"))
    for path in (*pages, *sorted((here / "locale" / "el").glob("*.po"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _code() -> bytes:
    return (assets.DIST / asset("portal-worker.js").removeprefix("/static/")).read_bytes()
