"""A sign-in as a token that only this server can have made: who, on which truck, since when."""

import secrets
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.cab.models import CabKey

ON_DUTY = timedelta(hours=18)
SENDING = timedelta(days=7)
KNOWN_TABLET = timedelta(days=400)


class SignIn(msgspec.Struct, frozen=True):
    """`device` tells one tablet from another. Holds for ON_DUTY; what was queued without coverage may be sent for SENDING."""

    driver: uuid.UUID
    name: str
    edge: str
    device: str
    at: datetime

    def holds(self, now: datetime) -> bool:
        return now - self.at < ON_DUTY


class Seal:
    """Signs and opens tokens with the town's secret."""

    def __init__(self, secret: bytes) -> None:
        self._fernet = Fernet(secret)

    def sign_in(self, who: SignIn) -> str:
        return self._seal(msgspec.json.encode(who), who.at)

    def open(self, token: str | None, now: datetime) -> SignIn | None:
        """Return the sign-in of a token; None when it is missing, not ours, or older than SENDING."""
        body = self._open(token, SENDING, now)
        return msgspec.json.decode(body, type=SignIn) if body is not None and body.startswith(b"{") else None

    def device(self, device: str, now: datetime) -> str:
        return self._seal(b"device " + device.encode(), now)

    def open_device(self, token: str | None, now: datetime) -> str | None:
        """Return the name of a tablet on which somebody has signed in before; None when it is a stranger."""
        body = self._open(token, KNOWN_TABLET, now)
        return body.removeprefix(b"device ").decode() if body is not None and body.startswith(b"device ") else None

    def _seal(self, body: bytes, now: datetime) -> str:
        return self._fernet.encrypt_at_time(body, int(now.timestamp())).decode()

    def _open(self, token: str | None, within: timedelta, now: datetime) -> bytes | None:
        try:
            return self._fernet.decrypt_at_time((token or "").encode(), int(within.total_seconds()), int(now.timestamp()))
        except InvalidToken:
            return None


async def seal(connection: AsyncConnection) -> Seal:
    """Return the town's seal; its secret is made when there is none yet."""
    await connection.execute(insert(CabKey).values(id=1, secret=Fernet.generate_key()).on_conflict_do_nothing())
    return Seal((await connection.execute(select(CabKey.secret))).scalar_one())


def new_device() -> str:
    return secrets.token_hex(8)


def now() -> datetime:
    return datetime.now(UTC)
