"""Phone and e-mail of a citizen: counted only once a code that was sent there came back."""

import hmac
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import phonenumbers
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.identity import tokens
from asty_citizen_services.identity.models import ContactPoint, OneTimeCode
from asty_citizen_services.identity.notifier import Kind

LASTS, TRIES = timedelta(minutes=10), 5
MOST_SENT, WITHIN = 5, timedelta(hours=1)
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")


class ContactError(Exception):
    """What was typed can't be taken: a term to translate. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A code to hand to a notifier after the commit."""

    kind: Kind
    address: str
    code: str


def address_of(kind: Kind, typed: str) -> str:
    """Return a phone number as E.164 (Greek without a prefix), or an e-mail address. Raises ContactError."""
    typed = typed.strip()
    if kind == "email":
        if len(typed) > 254 or not _EMAIL.fullmatch(typed):
            raise ContactError("An e-mail address looks like name@example.gr.")
        return typed
    try:
        number = phonenumbers.parse(typed, "GR")
    except phonenumbers.NumberParseException as error:
        raise ContactError("A mobile number looks like 69X XXX XXXX.") from error
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in kinds:
        raise ContactError("A mobile number looks like 69X XXX XXXX.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def begin(session: Session, citizen: uuid.UUID, kind: Kind, typed: str, *, secret: str, now: datetime) -> Sent:
    """Make a code for an address; an older one of the same kind ends. Raises ContactError, also after too many in an hour."""
    address = address_of(kind, typed)
    recent = select(func.count()).select_from(OneTimeCode).where(OneTimeCode.made_at > now - WITHIN)
    of_citizen, of_address = recent.where(OneTimeCode.citizen_id == citizen), recent.where(OneTimeCode.address == address)
    if max(session.scalar(of_citizen) or 0, session.scalar(of_address) or 0) >= MOST_SENT:
        raise ContactError("Too many codes were sent. Wait an hour and try again.")
    older = update(OneTimeCode).where(OneTimeCode.citizen_id == citizen, OneTimeCode.kind == kind, OneTimeCode.used_at.is_(None))
    session.execute(older.values(tries_left=0))
    code, one = tokens.six_digits(), uuid.uuid4()
    session.add(
        OneTimeCode(
            id=one, citizen_id=citizen, kind=kind, address=address, code_hash=tokens.keyed(secret, str(one), code), made_at=now,
            expires_at=now + LASTS, tries_left=TRIES, used_at=None,
        )
    )  # fmt: skip
    session.flush()
    return Sent(kind, address, code)


def finish(session: Session, citizen: uuid.UUID, kind: Kind, typed: str, *, secret: str, now: datetime, by: str = "") -> bool:
    """Tell whether the code is right; then its address is the citizen's, in place of an older one. A wrong code costs a try.

    `by` is who typed the code, when it was not the citizen.
    The caller commits either way, or a wrong code would cost nothing.
    """
    held = session.scalars(
        select(OneTimeCode)
        .where(
            OneTimeCode.citizen_id == citizen, OneTimeCode.kind == kind, OneTimeCode.used_at.is_(None), OneTimeCode.tries_left > 0,
            OneTimeCode.expires_at > now,
        )
        .order_by(OneTimeCode.made_at.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()  # fmt: skip
    if held is None:
        return False
    held.tries_left -= 1
    if not hmac.compare_digest(held.code_hash, tokens.keyed(secret, str(held.id), typed.strip())):
        return False
    held.used_at = now
    session.execute(
        update(ContactPoint)
        .where(ContactPoint.citizen_id == citizen, ContactPoint.kind == kind, ContactPoint.ended_at.is_(None))
        .values(ended_at=now)
    )  # fmt: skip
    session.add(ContactPoint(id=uuid.uuid4(), citizen_id=citizen, kind=kind, address=held.address, verified_at=now, ended_at=None))
    session.flush()
    journal.write(session, f"citizen:{citizen}", at=now, actor=by or f"citizen:{citizen}", act="identity.verify_contact", kind=kind)
    return True


def verified(session: Session, citizen: uuid.UUID) -> dict[str, str]:
    """Return the citizen's addresses by kind."""
    found = session.scalars(select(ContactPoint).where(ContactPoint.citizen_id == citizen, ContactPoint.ended_at.is_(None)))
    return {point.kind: point.address for point in found}
