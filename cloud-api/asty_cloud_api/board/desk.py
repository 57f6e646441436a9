"""What every page of the board has at hand, and how an act is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from asty_look import preferences
from asty_look.pages import Pages
from fastapi import Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncEngine

from asty_cloud_api.board import terms
from asty_cloud_api.board.drawn import LETTERS
from asty_cloud_api.board.ports import Closures, Planning
from asty_cloud_api.board.reasons import Sentences
from asty_cloud_api.fleet.plans import service_day
from asty_cloud_api.live.feed import Feed
from asty_cloud_api.reads import terms as read_terms
from asty_cloud_api.reads.listing import BadQueryError, Listing
from asty_cloud_api.screens.export import csv_lines
from asty_cloud_api.staff.gate import person_of

_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Days:
    """The days around the one that is shown; `after` is None at the last that can have a plan: tomorrow."""

    before: date
    after: date | None
    today: date
    last: date


@dataclass(frozen=True, slots=True)
class Desk:
    """`engine` reads, `writer` writes."""

    engine: AsyncEngine
    writer: AsyncEngine
    pages: Pages
    feed: Feed
    zone: ZoneInfo
    closures: Closures
    planning: Planning

    def today(self) -> date:
        return service_day(datetime.now(UTC), self.zone)

    def day(self, request: Request) -> date:
        """Read `?day=`, by default today's. Raises BadQueryError."""
        given = (request.query_params.get("day") or "").strip()
        if not given:
            return self.today()
        try:
            day = date.fromisoformat(given)
        except ValueError:
            day = None
        if day is None or not _EARLIEST <= day <= _LATEST:
            raise BadQueryError("day", given[:40], "A day is written like 2026-11-24.")
        return day

    def days(self, day: date) -> Days:
        today = self.today()
        last = today + timedelta(days=1)
        return Days(day - timedelta(days=1), day + timedelta(days=1) if day < last else None, today, last)

    def say(self, request: Request, term: str) -> str:
        return self.pages.gettext(request, term)

    def render(self, request: Request, name: str, context: Mapping[str, Any], *, status: int = 200) -> Response:
        """Render a page of the board with its terms, the planner's `sentences` and whether the reader `dispatches`."""
        person = person_of(request)
        shared = {"terms": terms, "words": read_terms, "letters": LETTERS, "given": request.query_params, "now": datetime.now(UTC)}
        shared |= {"dispatches": person is not None and person.dispatches}
        shared |= {"sentences": Sentences(lambda term: self.say(request, term), self.pages.formats(request))}
        return self.pages.render(request, name, shared | dict(context), status=status)

    def csv(self, request: Request, listing: Listing, rows: Any, name: str) -> Response:
        """Answer with rows as a spreadsheet of the reader's language."""
        lines = csv_lines(listing, rows, preferences.read(request).lang, self.zone, lambda term: self.say(request, term))
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def done(path: str) -> Response:
    """Send the browser back to a page after an act, so that a reload does not repeat it."""
    return RedirectResponse(path, 303)
