"""The citizen's payments: what is due, what was paid, receipts."""

import csv
import io
import unicodedata
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from asty_look import preferences
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity.door import ACitizen, anybody
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.payments import bank, desk, rf
from asty_citizen_services.payments.models import Fee
from asty_citizen_services.screens import Screens
from asty_citizen_services.settings import TEST_ORGANISATION, Settings

Words = Annotated[str, Query(max_length=100)]
STATES: Mapping[str, str] = {
    "due": "To pay", "paid": "Paid", "void": "No longer due", "refund": "Goes back to you", "refunded": "Sent back",
}  # fmt: skip
SORTS: Mapping[str, str] = {"-at": "Newest first", "at": "Oldest first", "-amount": "Largest amount first"}
HEADS = ("Subject", "Amount", "Payment code", "State", "Charged", "Paid")
RECEIPT = Path(__file__).parent / "receipt"

type Write = Callable[[Path, str, Mapping[str, Any], datetime], bytes]
"""Fills a template of a folder with facts and gives the PDF."""


class Pages:
    """The pages /payments."""

    def __init__(self, database: Database, screens: Screens, settings: Settings, write: Write) -> None:
        self._database, self._screens, self._settings, self._write = database, screens, settings, write

    def routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/payments", self.show)
        router.add_api_route("/payments.csv", self.export)
        router.add_api_route("/payments/{fee}/pay", self.pay)
        router.add_api_route("/payments/{fee}/receipt.pdf", self.receipt)
        return router

    def show(self, request: Request, citizen: ACitizen, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self._database.begin() as session:
            mine = desk.of(session, citizen.id)
        context = {
            "mine": mine, "found": chosen(mine, q, state, sort), "q": q, "state": state, "sort": sort, "states": STATES, "sorts": SORTS,
            "euros": desk.euros, "grouped": rf.grouped, "online": self._settings.bank is not None,
        }  # fmt: skip
        return self._screens.render(request, "payments/list.html", context)

    def export(self, request: Request, citizen: ACitizen, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self._database.begin() as session:
            found = chosen(desk.of(session, citizen.id), q, state, sort)
        out, greek = io.StringIO(), preferences.read(request).lang == "el"
        writer = csv.writer(out, delimiter=";" if greek else ",")
        writer.writerow([self._screens.gettext(request, term) for term in HEADS])
        for fee in found:
            amount = f"{fee.cents / 100:.2f}".replace(".", "," if greek else ".")
            writer.writerow(
                [
                    fee.subject, amount, fee.code, self._screens.gettext(request, STATES[fee.state]),
                    _local(fee.made_at, self._settings.zone), _local(fee.paid_at, self._settings.zone),
                ]
            )  # fmt: skip
        headers = {"Content-Disposition": 'attachment; filename="payments.csv"', "Cache-Control": "no-store"}
        return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    def pay(self, citizen: ACitizen, fee: uuid.UUID) -> Response:
        """Lead to the bank. Nothing is changed here: what counts is the bank's own call."""
        with self._database.begin() as session:
            found = _mine(session, citizen, fee)
        if self._settings.bank is None:
            raise RefusedError(409, "Card payments are not set up.", "Pay with the payment code at any bank or by e-banking.")
        if found.bank_reference is not None:
            raise RefusedError(409, "This is paid already.", "The receipt is under your payments.")
        if found.state != "due":
            raise RefusedError(409, "This is no longer due.", "Nothing is to be paid. Look at how your case stands.")
        return RedirectResponse(bank.pay_address(self._settings.bank, found, f"{self._settings.address}/payments"), 303)

    def receipt(self, citizen: ACitizen, fee: uuid.UUID) -> Response:
        now = datetime.now(UTC)
        with self._database.begin() as session:
            found = _mine(session, citizen, fee)
            if found.paid_at is None or found.bank_reference is None:
                raise RefusedError(409, "This is not paid yet.", "The receipt is there once the bank has told us, within a few minutes.")
            journal.write(session, f"citizen:{citizen.id}", at=now, actor=citizen.actor, act="payments.receipt", fee=str(found.id))
        facts = {
            "applicant": citizen.name, "subject": found.subject, "amount": desk.euros(found.cents),
            "payment_code": rf.grouped(found.code or ""),
            "paid_at": _local(found.paid_at, self._settings.zone), "bank_reference": found.bank_reference,
            "test_data": self._settings.bank is None or self._settings.bank.organisation == TEST_ORGANISATION,
        }  # fmt: skip
        headers = {"Content-Disposition": f'attachment; filename="receipt-{found.number}.pdf"', "Cache-Control": "no-store"}
        return Response(self._write(RECEIPT, "receipt", facts, now), media_type="application/pdf", headers=headers)


def chosen(fees: Sequence[Fee], q: str, state: str, sort: str) -> Sequence[Fee]:
    """Return the fees in which every word of `q` occurs and which are in `state`, sorted as SORTS says."""
    words = _folded(q).split()
    kept = [fee for fee in fees if all(word in _folded(f"{fee.subject} {fee.code}") for word in words) and state in ("", fee.state)]
    if sort == "-amount":
        return sorted(kept, key=lambda fee: -fee.cents)
    return sorted(kept, key=lambda fee: fee.made_at, reverse=sort != "at")


def _mine(session: Session, citizen: CitizenVisitor, fee: uuid.UUID) -> Fee:
    found = session.scalars(select(Fee).where(Fee.id == fee, Fee.citizen_id == citizen.id)).one_or_none()
    if found is None:
        raise RefusedError(404, *NOWHERE)
    return found


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in plain if unicodedata.category(sign) != "Mn").replace("ς", "σ")


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d/%m/%Y %H:%M %Z}" if at else ""
