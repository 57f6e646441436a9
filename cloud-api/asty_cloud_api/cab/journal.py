"""Keeps what drivers said: each action once, with what follows from it, in one transaction."""

import uuid
from datetime import datetime

import msgspec
from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from asty_cloud_api.cab.actions import (
    Action,
    Answer,
    BadActionError,
    Begin,
    End,
    Outcome,
    ReadMessage,
    RouteState,
    Say,
    Unload,
    key_of,
    read,
    trigger,
)
from asty_cloud_api.cab.models import DriverAction
from asty_cloud_api.cab.session import SignIn
from asty_cloud_api.fleet import plans
from asty_cloud_api.fleet.models import Vehicle
from asty_cloud_api.fleet.plan_models import Driver, Duty, Message, Photo, StopOutcome

_COMMON = ("key", "at", "day", "edge", "driver", "duty", "kind")
_MARKS: tuple[plans.Mark, ...] = ("delivered", "seen", "accepted")


async def take(engine: AsyncEngine, sent: list[msgspec.Raw], who: SignIn) -> list[Answer]:
    """Keep the actions in their order and answer each. An action that can't be taken holds up no other.

    Raises SQLAlchemyError: then nothing of this sending is kept, and the tablet sends it again.
    """
    answers = []
    async with engine.begin() as connection:
        for raw in sent:
            key = ""
            try:
                key = key_of(raw)
                action = read(raw)
                await _check(connection, action)
            except BadActionError as error:
                answers.append(Answer(key, "refused", str(error)))
                continue
            answers.append(Answer(key, "stored" if await _keep(connection, action, who) else "known"))
    return answers


async def _check(connection: AsyncConnection, action: Action) -> None:
    known = await connection.execute(
        select(exists().where(Driver.id == action.driver), exists().where(Vehicle.edge == action.edge))
    )  # fmt: skip
    driver, vehicle = known.one()
    if not driver:
        raise BadActionError("the driver is not in the register")
    if not vehicle:
        raise BadActionError(f"the vehicle {action.edge} is not in the register")


async def _keep(connection: AsyncConnection, action: Action, who: SignIn) -> bool:
    """Write the action down, and what follows from it; False when its key is known already."""
    said = msgspec.to_builtins(action)
    raised = trigger(action)
    row = {
        "key": action.key, "day": action.day, "edge": action.edge, "kind": said["kind"], "at": action.at, "duty": action.duty,
        "driver": action.driver, "sent_by": who.driver, "body": {name: value for name, value in said.items() if name not in _COMMON},
        "trigger": None if raised is None else msgspec.to_builtins(raised),
    }  # fmt: skip
    written = await connection.execute(insert(DriverAction).values(row).on_conflict_do_nothing().returning(DriverAction.key))
    if written.first() is None:
        return False
    await _follow(connection, action)
    await plans.notify(connection, "action", edge=action.edge, day=action.day, kind=said["kind"])
    return True


async def _follow(connection: AsyncConnection, action: Action) -> None:
    match action:
        case Begin():
            before = update(Duty).where(Duty.edge == action.edge, Duty.ended.is_(None), Duty.began <= action.at)
            await connection.execute(before.values(ended=action.at))
            checks = msgspec.to_builtins(action.checks)
            duty = insert(Duty).values(id=action.key, edge=action.edge, driver=action.driver, began=action.at, checks=checks)
            await connection.execute(duty)
        case End():
            await connection.execute(update(Duty).where(Duty.id == action.duty).values(ended=action.at))
        case Outcome():
            await plans.store_outcome(
                connection,
                plans.Outcome(
                    action.key, action.day, action.edge, action.stop, action.outcome, "driver", action.at, reason=action.reason,
                    kg=action.kg, lat=action.lat, lon=action.lon, route_version=action.version, note=action.note,
                ),
            )  # fmt: skip
        case Unload():
            done = plans.Outcome(
                action.key, action.day, action.edge, action.stop, "lifted", "driver", action.at, kg=action.kg, route_version=action.version
            )  # fmt: skip
            await plans.store_outcome(connection, done)
        case Say():
            line = insert(Message).values(
                id=action.key, day=action.day, edge=action.edge, sender="driver", text=action.text, at=action.at
            )  # fmt: skip
            await connection.execute(line)
            await plans.notify(connection, "message", edge=action.edge, day=action.day)
        case ReadMessage():
            unread = update(Message).where(Message.id == action.message, Message.read.is_(None))
            await connection.execute(unread.values(read=action.at))
            await plans.notify(connection, "message", edge=action.edge, day=action.day)
        case RouteState():
            await _mark(connection, action)
        case _:
            pass


async def _mark(connection: AsyncConnection, action: RouteState) -> None:
    """Who has accepted a version has seen it, and who has seen it has it."""
    by = await connection.scalar(select(Driver.name).where(Driver.id == action.driver))
    for mark in _MARKS[: _MARKS.index(action.state) + 1]:
        await plans.mark_route(connection, action.edge, action.day, action.version, mark, action.at, by=by)


async def keep_photo(engine: AsyncEngine, photo: uuid.UUID, jpeg: bytes, outcome: uuid.UUID, now: datetime) -> None:
    """Keep a cleaned photo and hang it on the outcome that it shows; sent twice it is kept once."""
    async with engine.begin() as connection:
        await connection.execute(insert(Photo).values(id=photo, jpeg=jpeg, made=now).on_conflict_do_nothing())
        hung = await connection.execute(
            update(StopOutcome).where(StopOutcome.key == outcome).values(photo=photo).returning(StopOutcome.edge, StopOutcome.day)
        )
        if (row := hung.first()) is not None:
            await plans.notify(connection, "outcome", edge=row.edge, day=row.day)
