"""Which screens are kiosks: put up by an operator, registered by a link that is opened on the screen itself, once."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from asty_process.environment import OperatorError
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.identity import tokens
from asty_citizen_services.kiosk.models import KioskDevice

INVITED = timedelta(days=7)
NOTED = timedelta(seconds=20)  # how exactly the time of the last touch is kept


class DeviceError(OperatorError):
    """There is no such kiosk, or there is one already."""


def invite(session: Session, name: str, now: datetime) -> str:
    """Put up a kiosk, or invite a known one anew, and return the token of the link that registers it within 7 days.

    The screen that was registered under this name before is none any more.
    """
    token = tokens.fresh()
    device = session.scalars(select(KioskDevice).where(KioskDevice.name == name)).one_or_none()
    if device is None:
        device = KioskDevice(id=uuid.uuid4(), name=name, made_at=now)
        session.add(device)
    device.invitation_hash, device.invited_until = tokens.hashed(token), now + INVITED
    device.token_hash = device.registered_at = device.seen_at = device.ended_at = None
    session.flush()
    return token


def register(session: Session, invitation: str, now: datetime) -> str | None:
    """Make the browser that holds the invitation the kiosk; return the token of its cookie, None when the link is used or too old."""
    device = invited(session, invitation, now)
    if device is None:
        return None
    token = tokens.fresh()
    device.token_hash, device.registered_at = tokens.hashed(token), now
    device.invitation_hash = device.invited_until = None
    return token


def invited(session: Session, invitation: str, now: datetime) -> KioskDevice | None:
    """Return the kiosk that a link would register."""
    return session.scalars(
        select(KioskDevice)
        .where(KioskDevice.invitation_hash == tokens.hashed(invitation), KioskDevice.invited_until > now)
        .with_for_update()
    ).one_or_none()


def of_token(session: Session, token: str) -> KioskDevice | None:
    """Return the kiosk that holds the token, None when it was shut."""
    return session.scalars(
        select(KioskDevice).where(KioskDevice.token_hash == tokens.hashed(token), KioskDevice.ended_at.is_(None))
    ).one_or_none()


def touched(device: KioskDevice, now: datetime) -> None:
    """Write down that somebody stands there."""
    if device.seen_at is None or now - device.seen_at > NOTED:
        device.seen_at = now


def shut(session: Session, name: str, now: datetime) -> None:
    """Make a kiosk an ordinary browser again. Raises DeviceError."""
    device = session.scalars(select(KioskDevice).where(KioskDevice.name == name)).one_or_none()
    if device is None:
        raise DeviceError(f"there is no kiosk {name!r}: `asty-citizen-services kiosk list` names all")
    device.ended_at = now
    device.token_hash = device.invitation_hash = device.invited_until = None


def all_of(session: Session) -> Sequence[KioskDevice]:
    return session.scalars(select(KioskDevice).order_by(KioskDevice.name)).all()
