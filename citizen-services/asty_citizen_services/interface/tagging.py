"""Answers that a program may keep: an ETag of the very bytes, and pages of long lists."""

import hashlib
from typing import Annotated, Any

from fastapi import Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

IfNoneMatch = Annotated[str | None, Header(max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=100, description="how many at most")]
Offset = Annotated[int, Query(ge=0, le=100_000, description="how many to leave out at the beginning")]
TAGGED: dict[int | str, dict[str, Any]] = {304: {"description": "The program has these very bytes."}}


def etag(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def has(given: str | None, tag: str) -> bool:
    """Tell whether a list of tags names one (RFC 9110, weak comparison)."""
    return given is not None and (given.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in given.split(",")})


def kept(said: BaseModel | bytes, if_none_match: str | None, *, seconds: int, media_type: str = "application/json") -> Response:
    """Answer with bytes that everybody may keep for so many seconds, or with 304."""
    content = said if isinstance(said, bytes) else said.model_dump_json().encode()
    headers = {"ETag": etag(content), "Cache-Control": f"public, max-age={seconds}"}
    if has(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def following(request: Request, limit: int, offset: int, total: int) -> str | None:
    """Return the address of the next page of a list, None on the last."""
    if offset + limit >= total:
        return None
    url = request.url.include_query_params(limit=limit, offset=offset + limit)
    return f"{url.path}?{url.query}"
