"""Messages between dispatcher and drivers: /board/messages."""

import uuid
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.board.desk import Desk, done
from asty_cloud_api.fleet.plan_models import Message
from asty_cloud_api.fleet.plans import notify
from asty_cloud_api.reads.listing import BadQueryError
from asty_cloud_api.staff.person import Acting

MOST_TEXT = 500
CANNED = (
    "Call the office, please.",
    "A street on your route is closed. The route has changed.",
    "Go to the transfer station before the next stop.",
    "A bin overflows near you. It is added to your route.",
    "Wait where you are for instructions.",
    "When you are done, help the other truck.",
)
"""Texts to choose from, as terms: a driver gets the Greek."""

_TRUCKS = """
SELECT v.edge, v.name AS vehicle, v.plate, coalesce(m.waiting, 0) AS waiting, m.last, d.name AS driver
FROM fleet.vehicle AS v
LEFT JOIN (SELECT edge, count(*) FILTER (WHERE sender = 'driver' AND read IS NULL) AS waiting, max(at) AS last
           FROM fleet.message WHERE day = :day GROUP BY edge) AS m ON m.edge = v.edge
LEFT JOIN LATERAL (SELECT r.name FROM fleet.duty AS u JOIN fleet.driver AS r ON r.id = u.driver
                   WHERE u.edge = v.edge AND u.ended IS NULL ORDER BY u.began DESC LIMIT 1) AS d ON true
WHERE v.kind = 'truck' ORDER BY v.name
"""
_LINES = """
SELECT m.id, m.edge, coalesce(v.name, m.edge) AS vehicle, m.sender, m.sent_by, m.text, m.at, m.read
FROM fleet.message AS m LEFT JOIN fleet.vehicle AS v ON v.edge = m.edge
WHERE m.day = :day AND (CAST(:edge AS text) = '' OR m.edge = :edge) AND (CAST(:q AS text) = '' OR m.text ILIKE '%' || :q || '%')
ORDER BY m.at DESC LIMIT 500
"""
_ADDRESSED = """
SELECT edge FROM fleet.vehicle WHERE kind = 'truck' AND edge = :edge
UNION SELECT edge FROM fleet.route WHERE :edge = 'all' AND day = :day
"""
Text = Annotated[str, Form(max_length=MOST_TEXT)]
Name = Annotated[str, Form(max_length=64)]


def routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    async def show(request: Request) -> Response:
        return await page(request)

    async def page(request: Request, *, wrong: str | None = None, typed: str = "") -> Response:
        after = desk.feed.position
        try:
            day = desk.day(request)
        except BadQueryError:
            day = desk.today()
        edge, q = ((request.query_params.get(name) or "").strip()[:64] for name in ("truck", "q"))
        like = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("\0", "")
        async with desk.engine.connect() as connection:
            trucks = (await connection.execute(text(_TRUCKS), {"day": day})).mappings().all()
            lines = (await connection.execute(text(_LINES), {"day": day, "edge": edge, "q": like})).mappings().all()
        context = {"trucks": trucks, "lines": lines, "edge": edge, "q": q, "canned": CANNED, "day": day, "days": desk.days(day)}
        context |= {"after": after, "wrong": wrong, "typed": typed, "sent": request.query_params.get("sent")}
        return desk.render(request, "board-messages.html", context, status=422 if wrong else 200)

    async def send(request: Request, person: Acting, truck: Name = "", line: Text = "", canned: Text = "") -> Response:
        said = line.strip() or (desk.pages.greek(canned) if canned in CANNED else "")
        if not said or not truck:
            return await page(request, wrong="Choose a truck and write what it is told. Nothing was sent.", typed=line)
        day = desk.today()
        async with desk.writer.begin() as connection:
            found = await connection.execute(text(_ADDRESSED), {"day": day, "edge": truck})
            edges = [row.edge for row in found]
            for edge in edges:
                await _send(connection, day, edge, said, person.name)
        if not edges:
            return await page(request, wrong="There is no such truck, or no truck has a route today. Nothing was sent.", typed=line)
        return done(f"/board/messages?sent={len(edges)}" + ("" if truck == "all" else f"&truck={truck}"))

    async def read(_request: Request, name: Annotated[uuid.UUID, Form()]) -> Response:
        async with desk.writer.begin() as connection:
            marked = await connection.execute(
                text("UPDATE fleet.message SET read = now() WHERE id = :id AND sender = 'driver' AND read IS NULL RETURNING edge"),
                {"id": name},
            )
            for row in marked:
                await notify(connection, "message", edge=row.edge)
        return done("/board/messages")

    router.add_api_route("/board/messages", show)
    router.add_api_route("/board/messages", send, methods=["POST"])
    router.add_api_route("/board/messages/read", read, methods=["POST"])
    return router


async def _send(connection: AsyncConnection, day: date, edge: str, said: str, by: str) -> None:
    row = {"id": uuid.uuid4(), "day": day, "edge": edge, "sender": "dispatcher", "sent_by": by, "text": said, "at": datetime.now(UTC)}
    await connection.execute(insert(Message).values(row))
    await notify(connection, "message", edge=edge, day=day)
