"""A document system that keeps the contract strictly: for a laptop, and for vendors to compare theirs with."""

import hashlib
import secrets
import time
from dataclasses import dataclass, field

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from asty_citizen_services.handover.contract import KEY, SIGNATURE, Entry, is_signed


@dataclass
class Archive:
    """What the double holds: entries by our id, with the id it gave and the files that have come."""

    entries: dict[str, tuple[str, Entry]] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)


def create_app(secret: str, archive: Archive) -> FastAPI:
    """Return the double's application; the caller sees to it that it doesn't start in production."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def signed(request: Request) -> bytes | None:
        body = await request.body()
        return body if is_signed(secret, body, request.headers.get(SIGNATURE, ""), int(time.time())) else None

    @app.get("/health")
    def health() -> JSONResponse:
        return JSONResponse({"entries": len(archive.entries), "files": len(archive.files)})

    @app.post("/v1/dockets")
    async def register(request: Request) -> Response:
        if (body := await signed(request)) is None:
            return JSONResponse({"error": "not signed"}, 403)
        try:
            entry = msgspec.json.decode(body, type=Entry)
        except msgspec.DecodeError as error:
            return JSONResponse({"error": str(error)}, 422)
        if request.headers.get(KEY) != entry.id:
            return JSONResponse({"error": "the key is the entry's id"}, 400)
        if (known := archive.entries.get(entry.id)) is not None:
            return JSONResponse({"id": known[0]}) if known[1] == entry else JSONResponse({"error": "other content under this key"}, 409)
        number = f"DMS-{secrets.token_hex(4)}"
        archive.entries[entry.id] = (number, entry)
        return JSONResponse({"id": number}, 201)

    @app.put("/v1/dockets/{entry}/files/{file}")
    async def keep(request: Request, entry: str, file: str) -> Response:
        if (body := await signed(request)) is None:
            return JSONResponse({"error": "not signed"}, 403)
        named = {one.id: one for one in archive.entries[entry][1].files} if entry in archive.entries else {}
        if file not in named:
            return JSONResponse({"error": "no such file of an entry"}, 404)
        if hashlib.sha256(body).hexdigest() != named[file].sha256:
            return JSONResponse({"error": "the content is not what the entry said"}, 422)
        archive.files[entry, file] = body
        return Response(status_code=204)

    return app
