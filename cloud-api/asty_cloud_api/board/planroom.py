"""The page of the plan: /board/plan. Versions and why, decisions, triggers by hand, what if."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.board.desk import Desk, done
from asty_cloud_api.board.ports import AGAIN, Closing, NotDoneError
from asty_cloud_api.board.street_area import Street, names, streets_of
from asty_cloud_api.board.supposing import Suppose, Supposed, suppose
from asty_cloud_api.fleet.plans import day_begins, service_day
from asty_cloud_api.reads.listing import BadQueryError
from asty_cloud_api.staff.person import Acting

_VERSIONS = """
SELECT p.id, p.version, p.state, p.made, p.made_by, p.reasons, p.figures, p.decided, p.decided_by, q.version AS parent, q.figures AS before,
       ARRAY(SELECT coalesce(v.name, r.edge) FROM fleet.route AS r LEFT JOIN fleet.vehicle AS v ON v.edge = r.edge
             WHERE r.plan = p.id ORDER BY 1) AS told
FROM fleet.plan AS p LEFT JOIN fleet.plan AS q ON q.id = p.parent WHERE p.day = :day ORDER BY p.version DESC
"""
_EXPLAINED = "SELECT result -> 'explained' AS explained FROM fleet.plan WHERE id = :id"
_TRIGGERS = """
SELECT t.id, t.at, t.kind, t.subject, t.said_by, t.detail ->> 'by' AS by, t.state, t.why, t.answer, t.answered,
       p.version, b.id AS bin, b.street, v.name AS vehicle,
       CASE WHEN t.kind = 'street_closed' AND t.subject <> 'again' THEN t.detail ->> 'name' END AS closure
FROM fleet.plan_trigger AS t LEFT JOIN fleet.plan AS p ON p.id = t.plan LEFT JOIN fleet.bin AS b ON t.subject IN (b.id, b.tag)
LEFT JOIN fleet.vehicle AS v ON v.edge = t.subject
WHERE t.at >= :begins AND t.at < :ends ORDER BY t.at DESC LIMIT 100
"""
_TRUCKS = "SELECT edge, name, plate FROM fleet.vehicle WHERE kind = 'truck' ORDER BY name"
# the plan in force names the trucks that it may send; the others of the register can join it
_SPARES = """
SELECT v.edge, v.name, v.plate FROM fleet.vehicle AS v
WHERE v.kind = 'truck' AND NOT EXISTS (
    SELECT FROM fleet.plan AS p, jsonb_array_elements(p.problem -> 'trucks') AS t (truck)
    WHERE p.day = :day AND p.state = 'running' AND t.truck ->> 'id' = v.edge)
ORDER BY v.name
"""
# a hired truck is like the one with the largest body
_HIRE = """
INSERT INTO fleet.vehicle
SELECT (jsonb_populate_record(v, jsonb_build_object('edge', CAST(:edge AS text), 'name', CAST(:name AS text), 'plate', :plate))).*
FROM fleet.vehicle AS v WHERE kind = 'truck' ORDER BY capacity_l DESC NULLS LAST, edge LIMIT 1
RETURNING edge
"""
_HIRED = "SELECT count(*) + 1 AS number FROM fleet.vehicle WHERE edge LIKE 'hired-%'"
_BINS = "SELECT id, street, tag FROM fleet.bin ORDER BY id"
_BIN = "SELECT id FROM fleet.bin WHERE id = :id"
Word = Annotated[str, Form(max_length=120)]
Edges = Annotated[list[str], Form()]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows besides the day's plans."""

    said: NotDoneError | None = None
    supposed: Supposed | None = None
    asked: Mapping[str, Any] | None = None
    seconds: float = 0.0


def routes(desk: Desk) -> APIRouter:
    """Return the router."""
    screen = _Screen(desk)
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    router.add_api_route("/board/plan", screen.show)
    router.add_api_route("/board/plan/{act}", screen.back)  # the address of an answered form, asked for again
    router.add_api_route("/board/plan/again", screen.again, methods=["POST"])
    router.add_api_route("/board/plan/must", screen.must, methods=["POST"])
    router.add_api_route("/board/plan/what-if", screen.what_if, methods=["POST"])
    router.add_api_route("/board/plan/apply", screen.apply, methods=["POST"])
    router.add_api_route("/board/plan/{name}/decide", screen.decide, methods=["POST"])
    return router


class _Screen:
    """The page and the acts on it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._one_at_a_time = asyncio.Lock()

    async def show(self, request: Request) -> Response:
        return await self._page(request, Shown())

    async def back(self) -> Response:
        return done("/board/plan")

    async def decide(self, request: Request, person: Acting, name: uuid.UUID, verdict: Word = "") -> Response:
        approve = verdict == "approve"
        return await self._acted(
            request, self._desk.planning.decide(name, person.name, approve=approve), "approved" if approve else "rejected"
        )

    async def again(self, request: Request, person: Acting) -> Response:
        detail = {"name": "asked for by the dispatcher", "by": person.name}
        return await self._acted(request, self._desk.planning.tell("street_closed", AGAIN, detail), "again")

    async def must(self, request: Request, person: Acting, bin_id: Annotated[str, Form(alias="bin", max_length=64)] = "") -> Response:
        return await self._acted(request, self._must(bin_id.strip(), person.name), "told")

    async def apply(
        self,
        request: Request,
        person: Acting,
        without: Edges | None = None,
        street: Word = "",
        more: Word = "",
        truck: Word = "",
        hired: Word = "",
        plate: Word = "",
    ) -> Response:
        return await self._acted(request, self._apply_all(without or [], street.strip(), more, (truck, hired, plate), person.name), "told")

    async def _apply_all(self, without: list[str], street: str, more: str, which: tuple[str, str, str], by: str) -> None:
        edge = await self._one_more(*(word.strip() for word in which)) if more else None
        await self._apply(without, street, by)
        if edge is not None:
            await self._desk.planning.tell("street_closed", AGAIN, {"name": "one more truck", "truck": edge, "by": by})

    async def _one_more(self, truck: str, hired: str, plate: str) -> str:
        """The truck that joins the day: one of the register, or a hired one, which is put into it."""
        async with self._desk.writer.begin() as connection:
            if truck:
                if truck not in {row["edge"] for row in await _read(connection, _SPARES, day=self._desk.today())}:
                    raise NotDoneError("This truck is in the plan already, or not in the register. Nothing was changed.")
                return truck
            if not hired:
                raise NotDoneError("Choose the truck that comes, or name a hired one. Nothing was changed.")
            number = (await _read(connection, _HIRED))[0]["number"]
            made = await _read(connection, _HIRE, edge=f"hired-{number}", name=hired, plate=plate or None)
            if not made:
                raise NotDoneError("The register has no truck that a hired one could be like. Nothing was changed.")
            return str(made[0]["edge"])

    async def what_if(self, request: Request, without: Edges | None = None, street: Word = "", more: Word = "") -> Response:
        began = time.monotonic()
        asked = {"without": without or [], "street": street.strip(), "more": bool(more)}
        what = Suppose(frozenset(without or ()), bool(street.strip()), int(bool(more)))
        try:
            found = await self._supposed(what, street.strip())
        except NotDoneError as error:
            return await self._page(request, Shown(error, asked=asked))
        return await self._page(request, Shown(supposed=found, asked=asked, seconds=time.monotonic() - began))

    async def _acted(self, request: Request, act: Awaitable[None], told: str) -> Response:
        try:
            await act
        except NotDoneError as error:
            return await self._page(request, Shown(error))
        return done(f"/board/plan?done={told}")

    async def _must(self, name: str, by: str) -> None:
        async with self._desk.engine.connect() as connection:
            known = await _read(connection, _BIN, id=name)
        if not known:
            raise NotDoneError("The register has no bin with this number. Nothing was changed.")
        await self._desk.planning.tell("must_visit", name, {"by": by})

    async def _apply(self, without: list[str], street: str, by: str) -> None:
        if street:
            now = datetime.now(UTC)
            ends = day_begins(service_day(now, self._desk.zone) + timedelta(days=1), self._desk.zone)
            await self._desk.closures.add([Closing(street, "obstacle", area, now, ends, by) for area in await self._areas(street)])
        for edge in without:
            await self._desk.planning.tell("breakdown", edge, {"why": "taken out by the dispatcher", "by": by})

    async def _supposed(self, what: Suppose, street: str) -> Supposed:
        if not what.is_something:
            raise NotDoneError("Choose a truck, a street or one more truck. Nothing was worked out.")
        async with self._one_at_a_time:
            day, closed = self._desk.today(), None
            now = await self._desk.planning.standing(day, ())
            if now is None:
                raise NotDoneError("There is no plan in force today. Nothing was worked out.")
            if street:
                then = await self._desk.planning.standing(day, await self._areas(street))
                closed = then.day if then else None
            return await asyncio.to_thread(suppose, now, closed, what)

    async def _areas(self, street: str) -> list[Any]:
        async with self._desk.engine.connect() as connection:
            blocks = Street(await streets_of(connection), street).blocks()
        if not blocks:
            raise NotDoneError("The map has no such street. Nothing was changed.")
        return [block.area for block in blocks]

    async def _page(self, request: Request, shown: Shown) -> Response:
        desk = self._desk
        after = desk.feed.position
        wrong: BadQueryError | None = None
        try:
            day = desk.day(request)
        except BadQueryError as error:
            wrong, day = error, desk.today()
        begins, ends = day_begins(day, desk.zone), day_begins(day + timedelta(days=1), desk.zone)
        async with desk.engine.connect() as connection:
            versions = await _read(connection, _VERSIONS, day=day)
            chosen = next((one for one in versions if one["state"] in ("proposed", "running")), None)
            explained = (await _read(connection, _EXPLAINED, id=chosen["id"]))[0]["explained"] if chosen else None
            triggers = await _read(connection, _TRIGGERS, begins=begins, ends=ends)
            trucks, bins = await _read(connection, _TRUCKS), await _read(connection, _BINS)
            spares = await _read(connection, _SPARES, day=desk.today())
            streets = names(await streets_of(connection))
        context = {"day": day, "days": desk.days(day), "after": after, "wrong": wrong, "versions": versions, "explained": explained or {}}
        context |= {"triggers": triggers, "trucks": trucks, "spares": spares, "bins": bins, "streets": streets}
        context |= {"said": shown.said, "supposed": shown.supposed, "asked": shown.asked or {}, "seconds": shown.seconds, "again": AGAIN}
        context |= {"why": _why(explained or {}, (request.query_params.get("bin") or "").strip()[:64])}
        context |= {"vehicles": {row["edge"]: row["name"] for row in trucks}, "places": {row["id"]: row["street"] for row in bins}}
        context |= {"numbers": {row["tag"]: row["id"] for row in bins}}  # a sensor names a bin by its tag
        return desk.render(request, "board-plan.html", context, status=422 if wrong or shown.said else 200)


def _why(explained: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """What the explanation says of one bin; None when none is asked for."""
    if not name:
        return None
    found = {part: next((one for one in explained.get(part) or () if one["id"] == name), None) for part in ("chosen", "not_chosen")}
    return {"id": name, **found}


async def _read(connection: AsyncConnection, sql: str, **values: Any) -> list[dict[str, Any]]:
    return [row._asdict() for row in await connection.execute(text(sql), values)]
