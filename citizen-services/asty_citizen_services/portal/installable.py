"""What a phone needs to put the portal on its home screen."""

from typing import Any

from asty_look.assets import asset


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
        "icons": [{"src": asset("icon.svg"), "type": "image/svg+xml", "sizes": "any", "purpose": "any"}],
    }
