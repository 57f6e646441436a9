"""Drivers: their PINs and cards. A PIN is kept as an Argon2 hash, with a salt of its own."""

import re
import uuid
from collections.abc import Sequence

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from asty_cloud_api.fleet.plan_models import Driver

# every driver's hash is tried: OWASP's least memory, so that forty drivers take less than a second
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
PIN = re.compile(r"[0-9]{6,8}", re.ASCII)
CARD = re.compile(r"[0-9A-Z]{4,32}", re.ASCII)

ACTIVE = select(Driver).where(Driver.active).order_by(Driver.name)


class DriverError(Exception):
    """A driver that can't be registered: says what was expected."""


def add(session: Session, name: str, pin: str, card: str | None = None) -> uuid.UUID:
    """Register a driver, or give one of that name a new PIN and card. Raises DriverError."""
    name = " ".join(name.split())
    card = read_card(card) if card else None
    if not name:
        raise DriverError("a driver has a name")
    if not PIN.fullmatch(pin):
        raise DriverError("a PIN has 6 to 8 digits")
    if len(set(pin)) < 3 or pin in "0123456789876543210":
        raise DriverError("this PIN is among the first that anybody tries: take one with three different digits, not in a row")
    if card is not None and not CARD.fullmatch(card):
        raise DriverError(f"card {card!r}: expected 4 to 32 digits or capital letters, as the reader types them")
    known = session.scalars(select(Driver).where(Driver.name == name)).one_or_none()
    active = everybody(session)
    if (other := by_pin(active, pin)) is not None and other is not known:
        raise DriverError("another driver has this PIN: take another one")
    if card and (holder := by_card(active, card)) is not None and holder is not known:
        raise DriverError(f"card {card} is {holder.name}'s: hand it back first")
    driver = known or Driver(id=uuid.uuid4(), name=name)
    driver.pin_hash, driver.card, driver.active = _HASHER.hash(pin), card, True
    session.add(driver)
    session.flush()
    return driver.id


def leave(session: Session, name: str) -> bool:
    """Let a driver sign in no longer, and free the card; what they did stays. Tell whether there was one."""
    gone = session.execute(update(Driver).where(Driver.name == name, Driver.active).values(active=False, card=None).returning(Driver.id))
    return gone.first() is not None


def everybody(session: Session) -> list[Driver]:
    return list(session.scalars(ACTIVE))


def by_pin(drivers: Sequence[Driver], pin: str) -> Driver | None:
    """Return the driver with this PIN. Takes 20 ms of processor time a driver: from a worker thread."""
    if not PIN.fullmatch(pin):
        return None
    return next((driver for driver in drivers if _fits(driver.pin_hash, pin)), None)


def by_card(drivers: Sequence[Driver], card: str) -> Driver | None:
    """Return the driver with this card, as a reader typed it."""
    typed = read_card(card)
    return next((driver for driver in drivers if driver.card is not None and driver.card == typed), None)


def read_card(typed: str) -> str:
    return "".join(typed.split()).upper()


def _fits(pin_hash: str, pin: str) -> bool:
    try:
        return _HASHER.verify(pin_hash, pin)
    except VerifyMismatchError:
        return False
