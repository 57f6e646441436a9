"""Charging, and taking the bank's word: a fee is paid once, by its exact amount, or not at all."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from asty_citizen_services import jobs
from asty_citizen_services.audit import journal
from asty_citizen_services.notices import outbox
from asty_citizen_services.payments import rf
from asty_citizen_services.payments.models import Fee
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.registry.models import Application, Docket

type Outcome = Literal["paid", "late", "known", "unknown", "differs"]


ISSUED = "issued"
"""The end of a case that was worth its fee."""


class NotOwedError(Exception):
    """This money does not go back, or went back already."""


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

    def charge(self, session: Session, application: Application, what: str, now: datetime) -> Mapping[str, Any]:
        """Charge an application what its answers cost and is not paid yet, and tell the citizen. For `workflow` (`charge`).

        Returns `fee`, the cents that are still due: the diagram's gateway asks for it.
        """
        owed = self.catalogue[application.procedure].manifest.fee_for(application.answers)
        fees = session.scalars(select(Fee).where(Fee.application_id == application.id)).all()
        rest = owed - sum(fee.cents for fee in fees if fee.state == "paid")
        for fee in fees:
            if fee.state == "due" and fee.cents != rest:
                fee.state, fee.why = "void", "changed"
        if rest <= 0:
            return {"fee": 0}
        docket = session.scalars(
            select(Docket).where(Docket.application_id == application.id, Docket.direction == "in").order_by(Docket.at).limit(1)
        ).one()
        if not any(fee.state == "due" for fee in fees):
            fee = self.open(
                session, key=f"{what or 'fee'}:{application.id}:{len(fees)}", citizen=application.citizen_id, subject=docket.subject,
                cents=rest, now=now, application=application.id,
            )  # fmt: skip
            if application.citizen_id is not None:
                outbox.put(
                    session, key=f"fee:{fee.id}", citizen=application.citizen_id, about=f"case:{application.id}", template="fee",
                    language=application.language, now=now, reference=docket.reference, subject=docket.subject, amount=euros(rest),
                    code=rf.grouped(fee.code or ""),
                )  # fmt: skip
        return {"fee": rest}

    def open(
        self, session: Session, *, key: str, citizen: uuid.UUID | None, subject: str, cents: int, now: datetime,
        application: uuid.UUID | None = None,
    ) -> Fee:  # fmt: skip
        """Return the fee of a key, a new one with its payment code when there is none. Raises ValueError for an amount of nothing."""
        rf.amount_digit(cents)
        found = session.scalars(select(Fee).where(Fee.key == key)).one_or_none()
        if found is not None:
            return found
        fee = Fee(
            id=uuid.uuid4(), key=key, application_id=application, citizen_id=citizen, subject=subject, cents=cents, code=None, state="due",
            made_at=now, paid_at=None, paid_by=None, bank_reference=None, why=None,
            refunded_at=None, refunded_by=None, refund_reference=None,
        )  # fmt: skip
        session.add(fee)
        session.flush()
        fee.code = rf.code(self.organisation, cents, fee.number)
        session.flush()
        return fee


def take(session: Session, word: Word, by: Literal["bank", "statement"]) -> Outcome:
    """Count a payment that the bank is known to have said; the case goes on by a job. The same one again is `known`.

    Another amount, or a second payment, `differs`. Money for what nobody owes any more is `late`: it is kept and owed back.
    """
    fee = session.scalars(select(Fee).where(_named(word.fee)).with_for_update()).one_or_none()
    if fee is None:
        return "unknown"
    if fee.bank_reference is not None:
        return "known" if (fee.cents, fee.bank_reference) == (word.cents, word.bank_reference) else "differs"
    taken = session.scalars(select(Fee.id).where(Fee.bank_reference == word.bank_reference)).one_or_none()
    if fee.cents != word.cents or taken is not None:
        return "differs"
    is_late = fee.state == "void"
    fee.paid_at, fee.paid_by, fee.bank_reference = word.at, by, word.bank_reference
    fee.state, fee.why = ("refund", "late") if is_late else ("paid", None)
    _note(session, fee, "payments.late" if is_late else "payments.paid", "bank", word.at, by=by, bank_reference=word.bank_reference)
    _tell(session, fee, "paid_late" if is_late else "paid", word.at)
    if not is_late and fee.application_id is not None:
        jobs.defer(session, "workflow:paid", lock=f"case:{fee.application_id}", queue="cases", application=str(fee.application_id))
    return "late" if is_late else "paid"


def close(session: Session, application: Application, end: str, now: datetime) -> None:
    """Settle the fees of a case that came to its end: what is due lapses, and what was paid for nothing is owed back."""
    for fee in of_case(session, application.id):
        if fee.state == "due":
            fee.state, fee.why = "void", end
        elif fee.state == "paid" and end != ISSUED:
            fee.state, fee.why = "refund", end
            _note(session, fee, "payments.owed_back", "system", now, why=end)
            _tell(session, fee, "refund", now)


def refund(session: Session, fee: uuid.UUID, reference: str, actor: str, now: datetime) -> Fee:
    """Note that money went back, by the transfer `reference`. Raises NotOwedError."""
    found = session.scalars(select(Fee).where(Fee.id == fee).with_for_update()).one_or_none()
    if found is None or found.state != "refund":
        raise NotOwedError("this fee is not owed back")
    found.state, found.refunded_at, found.refunded_by, found.refund_reference = "refunded", now, actor, reference
    _note(session, found, "payments.refunded", actor, now, reference=reference)
    _tell(session, found, "refunded", now)
    return found


def of_case(session: Session, application: uuid.UUID) -> Sequence[Fee]:
    """Return the fees of a case, the oldest first."""
    return session.scalars(select(Fee).where(Fee.application_id == application).order_by(Fee.made_at)).all()


def of(session: Session, citizen: uuid.UUID) -> Sequence[Fee]:
    """Return a citizen's fees, newest first."""
    return session.scalars(select(Fee).where(Fee.citizen_id == citizen).order_by(Fee.made_at.desc())).all()


def euros(cents: int) -> str:
    """Write an amount as Greeks do: 1.234,50 €."""
    whole, rest = divmod(cents, 100)
    return f"{whole:,}".replace(",", ".") + f",{rest:02d} €"


def _note(session: Session, fee: Fee, act: str, actor: str, now: datetime, **more: str) -> None:
    stream = f"case:{fee.application_id}" if fee.application_id else f"citizen:{fee.citizen_id}"
    subject = f"citizen:{fee.citizen_id}" if fee.citizen_id else ""
    journal.write(session, stream, at=now, actor=actor, act=act, subject=subject, fee=str(fee.id), cents=fee.cents, **more)


def _tell(session: Session, fee: Fee, template: str, now: datetime) -> None:
    if fee.citizen_id is None:
        return
    application = session.get(Application, fee.application_id) if fee.application_id else None
    outbox.put(
        session, key=f"{template}:{fee.id}", citizen=fee.citizen_id, about=f"case:{application.id}" if application else f"fee:{fee.id}",
        template=template, language=application.language if application else "el", now=now, amount=euros(fee.cents), subject=fee.subject,
    )  # fmt: skip


def _named(name: str) -> ColumnElement[bool]:
    try:
        return Fee.id == uuid.UUID(name)
    except ValueError:
        return Fee.code == name.replace(" ", "").upper()
