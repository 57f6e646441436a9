"""/api/closures: streets closed for trucks, for programs and for the board's map."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, Field

from asty_cloud_api.roads.closures import LONGEST_NAME, BadClosureError, Closing, Closures, Kind, Source
from asty_cloud_api.staff.person import Acting

FAR = timedelta(days=366)


class ClosureBody(BaseModel):
    """A closure to be made. `area` is a GeoJSON Polygon in WGS 84; each street that it touches is closed from junction to junction."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    kind: Kind
    area: dict[str, Any]
    starts: AwareDatetime
    ends: AwareDatetime
    source: Source = "dispatcher"


class ClosureMade(BaseModel):
    """A closure as it is kept."""

    id: uuid.UUID
    name: str
    kind: Kind
    area: dict[str, Any]
    starts: datetime
    ends: datetime
    source: str
    created: datetime
    made_by: str | None = None


class ClosureRefused(BaseModel):
    """What is wrong with a closure."""

    error: str
    parameter: str


def routes(closures: Closures) -> APIRouter:
    """Return the router."""
    router = APIRouter()

    @router.get("/api/closures", summary="Closures in force now or later; with `begins` and `ends`, those in force between")
    async def listed(
        begins: Annotated[AwareDatetime | None, Query(description="ISO 8601 with an offset")] = None,
        ends: Annotated[AwareDatetime | None, Query(description="ISO 8601 with an offset")] = None,
    ) -> list[ClosureMade]:
        since = begins or datetime.now(UTC)
        return [ClosureMade(**row) for row in await closures.listed(since, ends or since + FAR)]

    @router.post(
        "/api/closures",
        summary="Close streets for a time; the planner makes new routes when it begins",
        status_code=201,
        response_model=ClosureMade,
        responses={422: {"model": ClosureRefused}},
    )
    async def close(body: ClosureBody, person: Acting) -> Response:
        closing = Closing(body.name, body.kind, body.area, body.starts, body.ends, body.source, person.name)
        try:
            (name,) = await closures.add([closing])
        except BadClosureError as error:
            return JSONResponse({"error": error.expected, "parameter": error.field}, 422)
        made = ClosureMade(id=name, created=datetime.now(UTC), made_by=person.name, **body.model_dump())
        return JSONResponse(made.model_dump(mode="json"), 201, {"Location": f"/api/closures/{name}"})

    @router.delete("/api/closures/{name}", summary="Open the streets now; a closure that has not begun goes", status_code=204)
    async def end(name: uuid.UUID, person: Acting) -> None:
        if not await closures.end(name, datetime.now(UTC), person.name):
            raise HTTPException(404, "there is no such closure")

    return router
