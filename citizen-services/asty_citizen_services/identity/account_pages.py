"""The administrator's accounts: list, new ones, roles, ways in, shut and opened again. Nobody changes the own account."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from asty_look import preferences
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services import spreadsheet
from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity import accounts, contacts, roles, roster
from asty_citizen_services.identity.accounts import AccountError
from asty_citizen_services.identity.contacts import ContactError
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.models import Department, Passkey, Staff
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.screens import Screens

AnAdministrator = Annotated[StaffVisitor, Depends(staff(Role.ADMINISTRATOR))]
Words = Annotated[str, Query(max_length=100)]
Field = Annotated[str, Form(max_length=200)]
OWN = ("Nobody changes the own account.", "Nothing was changed. Another administrator does it.")
_TAKEN = "There is an account with this name already."
_INCOMPLETE = "User name, name and e-mail address are needed; the user name has small Latin letters, digits, dots and hyphens."


@dataclass(frozen=True)
class AccountPages:
    """What the pages need. `address` is what invitations begin with."""

    database: Database
    screens: Screens
    zone: ZoneInfo
    address: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> APIRouter:
        """Return the router of /staff/accounts."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/staff/accounts", self.list)
        router.add_api_route("/staff/accounts.csv", self.export)
        router.add_api_route("/staff/accounts", self.add, methods=["POST"])
        router.add_api_route("/staff/accounts/{account}", self.account)
        router.add_api_route("/staff/accounts/{account}/roles", self.grant, methods=["POST"])
        router.add_api_route("/staff/accounts/{account}/roles/end", self.withdraw, methods=["POST"])
        router.add_api_route("/staff/accounts/{account}/{act}", self.do, methods=["POST"])
        return router

    def list(
        self, request: Request, _who: AnAdministrator, q: Words = "", department: Words = "", role: Words = "", state: Words = "",
        sort: Words = "name",
    ) -> Response:  # fmt: skip
        chosen = {"q": q, "department": department, "role": role, "state": state, "sort": sort}
        return self._list(request, chosen)

    def export(
        self, request: Request, who: AnAdministrator, q: Words = "", department: Words = "", role: Words = "", state: Words = "",
        sort: Words = "name",
    ) -> Response:  # fmt: skip
        with self.database.begin() as session:
            found = roster.chosen(roster.accounts(session, self.clock()), q, department, role, state, sort)
            journal.write(session, f"staff:{who.id}", at=self.clock(), actor=who.actor, act="identity.export_accounts", lines=len(found))
        heads = [self.screens.gettext(request, term) for term in ("Name", "User name", "E-mail", "Roles", "State", "Last signed in")]
        rows = [
            (
                one.name, one.username, one.email, ", ".join(f"{place}:{what}" for place, what in one.roles),
                self.screens.gettext(request, roster.STATES[one.state]),
                one.used_at.astimezone(self.zone).isoformat(timespec="seconds") if one.used_at else "",
            )
            for one in found
        ]  # fmt: skip
        return spreadsheet.answer(spreadsheet.csv_of(heads, rows, preferences.read(request).lang), "accounts.csv")

    def add(
        self, request: Request, who: AnAdministrator, username: Field = "", name: Field = "", email: Field = "", department: Field = "",
        role: Field = "",
    ) -> Response:  # fmt: skip
        """Make an account, with a first role if one was chosen, and show the link that registers its passkey."""
        typed = {"username": username, "name": name, "email": email, "department": department, "role": role}
        plain = username.strip()
        if not name.strip() or not plain.replace(".", "").replace("-", "").isalnum() or not plain.isascii() or plain != plain.lower():
            return self._list(request, {}, wrong=_INCOMPLETE, typed=typed, status=422)
        now = self.clock()
        try:
            address = contacts.address_of("email", email)
            with self.database.begin() as session:
                made = accounts.add(session, username=plain, name=name.strip(), email=address, by=who.actor, now=now)
                if department and role in list(Role):
                    accounts.grant(session, made, department, Role(role), by=who.actor, now=now)
                token = accounts.invite(session, made, by=who.actor, now=now)
        except ContactError as error:
            return self._list(request, {}, wrong=str(error), typed=typed, status=422)
        except AccountError:
            return self._list(request, {}, wrong=_TAKEN, typed=typed, status=422)
        return self._account(request, made, token=token)

    def account(self, request: Request, account: uuid.UUID, _who: AnAdministrator) -> Response:
        return self._account(request, account)

    def grant(self, account: uuid.UUID, who: AnAdministrator, department: Field = "", role: Field = "") -> Response:
        self._not_own(account, who)
        with self.database.begin() as session:
            self._known(session, account)
            if session.get(Department, department) is None or role not in list(Role):
                raise RefusedError(422, "Choose a department and a role.", "Nothing was changed. Go back.")
            accounts.grant(session, account, department, Role(role), by=who.actor, now=self.clock())
        return RedirectResponse(f"/staff/accounts/{account}", 303)

    def withdraw(self, account: uuid.UUID, who: AnAdministrator, department: Field = "", role: Field = "") -> Response:
        self._not_own(account, who)
        with self.database.begin() as session:
            self._known(session, account)
            if role in list(Role):
                accounts.withdraw(session, account, department, Role(role), by=who.actor, now=self.clock())
        return RedirectResponse(f"/staff/accounts/{account}", 303)

    def do(self, request: Request, account: uuid.UUID, act: str, who: AnAdministrator) -> Response:
        """Shut an account, open it again, or send its holder through a new registration of a passkey."""
        self._not_own(account, who)
        now = self.clock()
        token = ""
        with self.database.begin() as session:
            self._known(session, account)
            match act:
                case "shut":
                    accounts.shut(session, account, by=who.actor, now=now)
                case "reopen":
                    accounts.reopen(session, account, by=who.actor, now=now)
                case "invite":
                    token = accounts.invite(session, account, by=who.actor, now=now)
                case "reset":
                    token = accounts.reset(session, account, by=who.actor, now=now)
                case _:
                    raise RefusedError(404, *NOWHERE)
        if token:
            return self._account(request, account, token=token)
        return RedirectResponse(f"/staff/accounts/{account}", 303)

    def _list(
        self, request: Request, given: dict[str, str], *, wrong: str = "", typed: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        chosen = {"q": "", "department": "", "role": "", "state": "", "sort": "name"} | given
        with self.database.begin() as session:
            everybody = roster.accounts(session, self.clock())
            departments = self._departments(session, request)
        context: dict[str, Any] = {
            "everybody": everybody, "found": roster.chosen(everybody, **chosen), "departments": departments, "terms": roles.TERMS,
            "states": roster.STATES, "sorts": roster.SORTS, "wrong": wrong,
            "typed": {"username": "", "name": "", "email": "", "department": "", "role": ""} | (typed or {}),
        }  # fmt: skip
        return self.screens.render(request, "identity/accounts.html", context | chosen, status=status)

    def _account(self, request: Request, account: uuid.UUID, token: str = "") -> Response:
        now = self.clock()
        with self.database.begin() as session:
            self._known(session, account)
            context = {
                "it": next(one for one in roster.accounts(session, now) if one.id == account),
                "passkeys": session.scalars(select(Passkey).where(Passkey.staff_id == account).order_by(Passkey.made_at)).all(),
                "away": roster.absences(session, [account], now), "departments": self._departments(session, request),
                "terms": roles.TERMS, "states": roster.STATES, "link": f"{self.address}/staff/invitation/{token}" if token else "",
                "days": accounts.INVITED_FOR.days, "now": now,
            }  # fmt: skip
            return self.screens.render(request, "identity/account.html", context)

    def _departments(self, session: Session, request: Request) -> dict[str, str]:
        english = preferences.read(request).lang == "en"
        found = session.scalars(select(Department).order_by(Department.name_el))
        return {it.slug: it.name_en if english else it.name_el for it in found}

    def _known(self, session: Session, account: uuid.UUID) -> None:
        if session.get(Staff, account) is None:
            raise RefusedError(404, *NOWHERE)

    def _not_own(self, account: uuid.UUID, who: StaffVisitor) -> None:
        if account == who.id:
            raise RefusedError(403, *OWN)
