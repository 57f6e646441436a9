"""A phone or e-mail counts once its code came back; a code can't be guessed or used twice."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asty_citizen_services.identity import accounts, contacts, mandates, sessions
from asty_citizen_services.identity.citizens import remember
from asty_citizen_services.identity.contacts import ContactError
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.identity.visitor import CitizenVisitor

SECRET = "a secret of the tests, long enough"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
Do = Callable[..., Any]


@pytest.fixture
def citizen(municipality: Any) -> uuid.UUID:
    """Somebody who never asked for a code before."""
    with municipality.database.begin() as session:
        known = remember(session, PERSONS[0], NOW)
        for table in ("one_time_code", "contact_point", "mandate", "session"):
            session.connection().exec_driver_sql(f"DELETE FROM {table} WHERE citizen_id = %s", (known,))
    return known


@pytest.fixture
def do(municipality: Any) -> Do:
    """Return `do(act, …)`: one act in a transaction of its own."""

    def run(act: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        with municipality.database.begin() as session:
            return act(session, *arguments, **more)

    return run


def test_a_phone_counts_once_its_code_came_back_and_a_code_works_once(do: Do, citizen: uuid.UUID) -> None:
    sent = do(contacts.begin, citizen, "phone", "694 123 4567", secret=SECRET, now=NOW)
    assert sent.address == "+306941234567"
    assert do(contacts.verified, citizen) == {}
    assert do(contacts.finish, citizen, "phone", f" {sent.code} ", secret=SECRET, now=NOW)
    assert do(contacts.verified, citizen) == {"phone": "+306941234567"}
    assert not do(contacts.finish, citizen, "phone", sent.code, secret=SECRET, now=NOW)
    other = do(contacts.begin, citizen, "phone", "+44 7911 123456", secret=SECRET, now=NOW)
    assert do(contacts.finish, citizen, "phone", other.code, secret=SECRET, now=NOW)
    assert do(contacts.verified, citizen) == {"phone": "+447911123456"}


def test_after_five_wrong_tries_even_the_right_code_is_refused(do: Do, citizen: uuid.UUID) -> None:
    sent = do(contacts.begin, citizen, "email", "maria@example.gr", secret=SECRET, now=NOW)
    wrong = f"{(int(sent.code) + 1) % 1_000_000:06d}"
    for _ in range(contacts.TRIES):
        assert not do(contacts.finish, citizen, "email", wrong, secret=SECRET, now=NOW)
    assert not do(contacts.finish, citizen, "email", sent.code, secret=SECRET, now=NOW)


def test_a_code_expires_and_a_newer_one_ends_it(do: Do, citizen: uuid.UUID) -> None:
    first = do(contacts.begin, citizen, "email", "maria@example.gr", secret=SECRET, now=NOW)
    assert not do(contacts.finish, citizen, "email", first.code, secret=SECRET, now=NOW + contacts.LASTS)
    second = do(contacts.begin, citizen, "email", "maria@example.gr", secret=SECRET, now=NOW)
    if first.code != second.code:
        assert not do(contacts.finish, citizen, "email", first.code, secret=SECRET, now=NOW)
    assert do(contacts.finish, citizen, "email", second.code, secret=SECRET, now=NOW)


def test_codes_for_one_address_or_one_citizen_are_limited(do: Do, citizen: uuid.UUID) -> None:
    for _ in range(contacts.MOST_SENT):
        do(contacts.begin, citizen, "phone", "6941234568", secret=SECRET, now=NOW)
    for kind, address in (("phone", "6941234569"), ("email", "a@example.gr")):
        with pytest.raises(ContactError, match="Too many codes"):
            do(contacts.begin, citizen, kind, address, secret=SECRET, now=NOW)
    do(contacts.begin, citizen, "phone", "6941234569", secret=SECRET, now=NOW + timedelta(hours=2))


@pytest.mark.parametrize(
    ("kind", "typed"), [("phone", "2410 123456"), ("phone", "12"), ("phone", "x"), ("email", "a@b"), ("email", "a b@c.gr"), ("email", "")]
)
def test_what_is_no_mobile_and_no_address_is_refused(kind: Any, typed: str) -> None:
    with pytest.raises(ContactError):
        contacts.address_of(kind, typed)


def test_a_session_rests_and_ends(do: Do, citizen: uuid.UUID) -> None:
    token = do(sessions.begin, NOW, citizen=citizen)
    assert isinstance(do(sessions.visitor, token, NOW + timedelta(minutes=29)), CitizenVisitor)
    assert do(sessions.visitor, token, NOW + timedelta(minutes=60)) is None
    busy = do(sessions.begin, NOW, citizen=citizen)
    at = NOW
    while at < NOW + sessions.MOST["citizen"]:
        assert do(sessions.visitor, busy, at) is not None
        at += timedelta(minutes=20)
    assert do(sessions.visitor, busy, at) is None
    assert do(sessions.visitor, "another", NOW) is None


def test_whoever_acts_for_a_company_does_so_until_the_mandate_ends(do: Do, citizen: uuid.UUID) -> None:
    staff = do(accounts.add, username=f"clerk-{uuid.uuid4()}", name="Υ", email="u@example.gr", by="system", now=NOW)
    deed = {
        "citizen": citizen,
        "legal_name": "Δοκιμαστική Α.Ε.",
        "basis": "ΦΕΚ 1/2026",
        "valid_from": NOW,
        "valid_until": None,
        "staff": staff,
        "now": NOW,
    }
    with pytest.raises(mandates.MandateError):
        do(mandates.record, afm="000000000", **deed)
    mandate = do(mandates.record, afm=PERSONS[3].taxid, **deed)
    token = do(sessions.begin, NOW, citizen=citizen)
    do(sessions.act_for, token, mandate)
    assert do(sessions.visitor, token, NOW).acts_for.name == "Δοκιμαστική Α.Ε."
    do(mandates.revoke, mandate, staff=staff, now=NOW)
    assert do(sessions.visitor, token, NOW).acts_for is None
    assert do(mandates.of, citizen, NOW) == []
