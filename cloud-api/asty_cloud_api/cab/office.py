"""Signs drivers in: by PIN or card, with the tablet's budget of wrong tries."""

import time
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from starlette.concurrency import run_in_threadpool

from asty_cloud_api.attempts import Door
from asty_cloud_api.cab import drivers
from asty_cloud_api.cab.session import Seal, SignIn, new_device, seal
from asty_cloud_api.fleet.models import Vehicle
from asty_cloud_api.fleet.plan_models import Driver


@dataclass(frozen=True, slots=True)
class Opened:
    """A driver is in: the tokens for the tablet's cookies, and who it is."""

    token: str
    device_token: str
    who: SignIn


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody came in. `left` tries until the door shuts, `wait_s` until it opens again; both None: the truck is unknown."""

    left: int | None = None
    wait_s: float | None = None


@dataclass(slots=True)
class Cab:
    """The room's handle: the database, and the door of this process."""

    engine: AsyncEngine
    door: Door = field(default_factory=Door)
    _seal: Seal | None = None

    async def seal(self) -> Seal:
        if self._seal is None:
            async with self.engine.begin() as connection:
                self._seal = await seal(connection)
        return self._seal

    async def sign_in(self, edge: str, pin: str | None, card: str | None, device_token: str | None, now: datetime) -> Opened | Refused:
        """Let a driver in by PIN or card. Raises SQLAlchemyError."""
        seal = await self.seal()
        device = seal.open_device(device_token, now)
        if wait := self.door.wait(device, time.monotonic()):
            return Refused(wait_s=wait)
        async with AsyncSession(self.engine) as session:
            if await session.get(Vehicle, edge) is None:
                return Refused()
            active = (await session.scalars(drivers.ACTIVE)).all()
        # counted before it is checked: tries that come together get no budget each
        left = self.door.wrong(device, time.monotonic())
        driver = drivers.by_card(active, card) if card else await run_in_threadpool(drivers.by_pin, active, pin or "")
        if driver is None:
            return Refused(left=left, wait_s=self.door.wait(device, time.monotonic()) or None)
        self.door.right(device, time.monotonic())
        device = device or new_device()
        who = SignIn(driver.id, driver.name, edge, device, now)
        return Opened(seal.sign_in(who), seal.device(device, now), who)

    async def who(self, token: str | None, now: datetime) -> SignIn | None:
        """Return whose tablet this is; None when nobody is signed in or the driver has left the service."""
        who = (await self.seal()).open(token, now)
        if who is None:
            return None
        async with self.engine.connect() as connection:
            active = await connection.scalar(select(Driver.active).where(Driver.id == who.driver))
        return who if active else None
