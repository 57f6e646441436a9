"""Charging, and taking the bank's word: a fee is paid once, by its exact amount, or not at all."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.notices import outbox
from asty_citizen_services.payments import rf
from asty_citizen_services.payments.models import Fee
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.registry.models import Application, Docket

type Outcome = Literal["paid", "known", "unknown", "differs"]


@dataclass(frozen=True, slots=True)
class Word:
    """What a bank says of one payment: the code or our own id of the fee, the amount, its own reference, when."""

    fee: str
    cents: int
    bank_reference: str
    at: datetime


@dataclass(frozen=True)
class Fees:
    """Where fees are charged. `organisation` is the code of DIAS."""

    catalogue: Catalogue
    organisation: str

    def charge(self, session: Session, application: Application, what: str, now: datetime) -> None:
        """Charge an application the fee of its procedure, once, and tell the citizen. For `workflow` (`charge`)."""
        cents = self.catalogue[application.procedure].manifest.fee_cents
        if cents == 0 or application.citizen_id is None:
            return
        docket = session.scalars(
            select(Docket).where(Docket.application_id == application.id, Docket.direction == "in").order_by(Docket.at).limit(1)
        ).one()
        fee = self.open(
            session, key=f"{what or 'fee'}:{application.id}", citizen=application.citizen_id, subject=docket.subject, cents=cents, now=now,
            application=application.id,
        )  # fmt: skip
        outbox.put(
            session, key=f"fee:{fee.id}", citizen=application.citizen_id, about=f"case:{application.id}", template="fee",
            language=application.language, now=now, reference=docket.reference, subject=docket.subject, amount=euros(cents),
            code=rf.grouped(fee.code or ""),
        )  # fmt: skip

    def open(
        self, session: Session, *, key: str, citizen: uuid.UUID, subject: str, cents: int, now: datetime,
        application: uuid.UUID | None = None,
    ) -> Fee:  # fmt: skip
        """Return the fee of a key, a new one with its payment code when there is none. Raises ValueError for an amount of nothing."""
        rf.amount_digit(cents)
        found = session.scalars(select(Fee).where(Fee.key == key)).one_or_none()
        if found is not None:
            return found
        fee = Fee(
            id=uuid.uuid4(), key=key, application_id=application, citizen_id=citizen, subject=subject, cents=cents, code=None, state="due",
            made_at=now, paid_at=None, paid_by=None, bank_reference=None,
        )  # fmt: skip
        session.add(fee)
        session.flush()
        fee.code = rf.code(self.organisation, cents, fee.number)
        session.flush()
        return fee


def take(session: Session, word: Word, by: Literal["bank", "statement"]) -> Outcome:
    """Count a payment that the bank is known to have said. The same one again is `known`.

    Another amount, or a second payment, `differs`.
    """
    fee = session.scalars(select(Fee).where(_named(word.fee)).with_for_update()).one_or_none()
    if fee is None:
        return "unknown"
    if fee.state == "paid":
        return "known" if (fee.cents, fee.bank_reference) == (word.cents, word.bank_reference) else "differs"
    taken = session.scalars(select(Fee.id).where(Fee.bank_reference == word.bank_reference)).one_or_none()
    if fee.cents != word.cents or taken is not None:
        return "differs"
    fee.state, fee.paid_at, fee.paid_by, fee.bank_reference = "paid", word.at, by, word.bank_reference
    stream = f"case:{fee.application_id}" if fee.application_id else f"citizen:{fee.citizen_id}"
    journal.write(
        session, stream, at=word.at, actor="bank", act="payments.paid", subject=f"citizen:{fee.citizen_id}", fee=str(fee.id),
        cents=fee.cents, by=by, bank_reference=word.bank_reference,
    )  # fmt: skip
    application = session.get(Application, fee.application_id) if fee.application_id else None
    outbox.put(
        session, key=f"paid:{fee.id}", citizen=fee.citizen_id, about=f"case:{application.id}" if application else f"fee:{fee.id}",
        template="paid", language=application.language if application else "el", now=word.at, amount=euros(fee.cents), subject=fee.subject,
    )  # fmt: skip
    return "paid"


def of(session: Session, citizen: uuid.UUID) -> Sequence[Fee]:
    """Return a citizen's fees, newest first."""
    return session.scalars(select(Fee).where(Fee.citizen_id == citizen).order_by(Fee.made_at.desc())).all()


def euros(cents: int) -> str:
    """Write an amount as Greeks do: 1.234,50 €."""
    whole, rest = divmod(cents, 100)
    return f"{whole:,}".replace(",", ".") + f",{rest:02d} €"


def _named(name: str) -> ColumnElement[bool]:
    try:
        return Fee.id == uuid.UUID(name)
    except ValueError:
        return Fee.code == name.replace(" ", "").upper()
