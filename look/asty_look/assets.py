"""The bundled styles, modules and fonts of `look/build.mjs`, under names that carry their hash."""

import mimetypes
from functools import lru_cache
from pathlib import Path

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

DIST = Path(__file__).parent / "static" / "dist"
FOREVER = "public, max-age=31536000, immutable"


class AssetsMissingError(Exception):
    """The pages' assets were not built: run `npm ci && node build.mjs` in look/."""


@lru_cache(maxsize=1)
def _manifest() -> dict[str, str]:
    try:
        return msgspec.json.decode((DIST / "manifest.json").read_bytes(), type=dict[str, str])
    except FileNotFoundError as error:
        raise AssetsMissingError(f"{DIST} holds no manifest.json: run `npm ci && node build.mjs` in the folder look") from error


def asset(name: str) -> str:
    """Return the address of a bundled file by its plain name, such as `asty.css`. Raises AssetsMissingError, KeyError."""
    return f"/static/{_manifest()[name]}"


async def serve(request: Request) -> Response:
    """Answer GET /static/{name}: the file, its gzip when the browser takes it, to be kept for ever. Raises HTTPException 404."""
    name = request.path_params["name"]
    if name not in _names():
        raise HTTPException(404)
    headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if f"{name}.gz" in _names() and "gzip" in request.headers.get("accept-encoding", ""):
        return FileResponse(DIST / f"{name}.gz", media_type=kind, headers=headers | {"Content-Encoding": "gzip"})
    return FileResponse(DIST / name, media_type=kind, headers=headers)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(path.name for path in DIST.iterdir()) if DIST.is_dir() else frozenset()
