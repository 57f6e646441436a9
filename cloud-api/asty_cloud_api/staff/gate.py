"""The gate before every address: who asks, whether they may, and whether their own page sent them."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from sqlalchemy.exc import SQLAlchemyError

from asty_cloud_api.staff.book import Book
from asty_cloud_api.staff.person import Person
from asty_cloud_api.staff.roles import READING, Role, needed

BEARER = "bearer "


class NotSignedInError(Exception):
    """Nobody is signed in: a page leads to the sign-in and back, a program is told to bring a token."""


class NotAllowedError(Exception):
    """Whoever asks has not the role that this needs."""

    def __init__(self, role: Role) -> None:
        super().__init__(f"this needs the role {role.value}")
        self.role = role


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """A dependency of the whole application. `cookie` is the name of the session's cookie."""

    book: Book
    cookie: str

    async def __call__(self, request: Request) -> None:
        """Let the request through, with `request.state.person`.

        Raises NotSignedInError, NotAllowedError, HTTPException 403, SQLAlchemyError.
        """
        role = needed(request.method, request.scope["path"])
        bears = _bearer(request) is not None
        if not bears and request.method not in READING and not from_own_page(request):
            raise HTTPException(403, "an act comes from this server's own pages")
        # a public page asks for nobody: it is there for everybody, also when the accounts are not
        person = await self._who(request) if bears or role is not None else None
        request.state.person, request.state.gate = person, self
        if role is None:
            return
        if person is None:
            raise NotSignedInError
        if not person.may(role):
            raise NotAllowedError(role)

    async def lets(self, request: Request) -> bool:
        """Tell whether the request would be let through now: a session ends, a token too. While the database is away nobody is sent off."""
        role = needed(request.method, request.scope["path"])
        try:
            person = await self._who(request)
        except (SQLAlchemyError, OSError):
            return True
        return role is None or (person is not None and person.may(role))

    async def _who(self, request: Request) -> Person | None:
        bearer = _bearer(request)
        if bearer is not None:
            return await self.book.by_bearer(bearer)
        return await self.book.by_cookie(request.cookies.get(self.cookie))


def _bearer(request: Request) -> str | None:
    """The token that a program brings, None when it brings none."""
    given = request.headers.get("authorization", "")
    return given[len(BEARER) :].strip() if given[: len(BEARER)].lower() == BEARER else None


def from_own_page(request: Request) -> bool:
    """Tell whether an act comes from a page of this server: by Sec-Fetch-Site, else by Origin. Without both no browser has sent it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def still_in(request: Request) -> bool:
    """Tell whether whoever opened this stream may still follow it."""
    gate: Gate = request.state.gate
    return await gate.lets(request)


def person_of(request: Request) -> Person | None:
    """Return who asks, if the gate has looked."""
    found: Person | None = getattr(request.state, "person", None)
    return found
