"""The shapes of the board's JSON answers; times are UTC, weights kg, lengths metres. null is unknown, never zero."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from asty_cloud_api.board.today import Today


class BoardStop(BaseModel):
    """`state` is served, missed, next, left, passed (over), undone (the day is over) or withdrawn (taken out of the plan)."""

    n: int
    kind: str
    id: str
    street: str | None
    lat: float | None
    lon: float | None
    stream: str | None
    state: Literal["served", "missed", "next", "left", "passed", "undone", "withdrawn"]
    planned: datetime
    expected: datetime | None = Field(description="estimate for what is still ahead")
    at: datetime | None
    kg: float | None
    reason: str | None
    why: str | None


class BoardTruck(BaseModel):
    """`told` is how far the route version has come: told, delivered, seen, accepted. `basis` is what the expected times rest on."""

    edge: str
    vehicle: str
    plate: str | None
    version: int
    told: Literal["told", "delivered", "seen", "accepted"]
    told_at: datetime | None
    basis: Literal["position", "last_stop", "plan"]
    late_s: float
    served: int
    missed: int
    left: int
    kg: float
    planned_m: float | None
    done_m: float | None
    stops: list[BoardStop]


class BoardDay(BaseModel):
    """`plan` is the version in force, null without one; `proposed` are versions that wait for a decision."""

    day: date
    at: datetime
    plan: int | None
    plan_id: UUID | None
    proposed: list[int]
    trucks: list[BoardTruck]


def of_day(seen: Today) -> BoardDay:
    """Put a day into its shape."""
    trucks = [
        BoardTruck(
            edge=one.edge,
            vehicle=one.vehicle,
            plate=one.plate,
            version=one.version,
            told=one.told,
            told_at=one.told_at,
            basis=one.basis,
            late_s=one.late,
            served=one.count("served"),
            missed=one.count("missed"),
            left=one.count("next", "left", "passed", "undone"),
            kg=one.kg,
            planned_m=one.planned_m,
            done_m=one.done_m,
            stops=[
                BoardStop.model_validate(
                    {key: getattr(line, key) for key in BoardStop.model_fields if key != "planned"} | {"planned": line.eta}
                )
                for line in one.lines
            ],
        )
        for one in seen.lanes
    ]
    return BoardDay(
        day=seen.day,
        at=seen.at,
        plan=seen.plan["version"] if seen.plan else None,
        plan_id=seen.plan["id"] if seen.plan else None,
        proposed=[plan["version"] for plan in seen.proposed],
        trucks=trucks,
    )
