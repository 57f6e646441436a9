"""A fee is paid once, by the bank's own signed word and the exact amount, or it stays due."""

import io
import json
import subprocess
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import pytest
from asty_citizen_services import casework
from asty_citizen_services.casework import Casework
from asty_citizen_services.identity import departments, sessions
from asty_citizen_services.identity.citizens import remember
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.payments import bank, desk, reconcile, rf
from asty_citizen_services.payments.desk import Fees
from asty_citizen_services.payments.models import Fee
from asty_citizen_services.payments.reconcile import StatementError
from asty_citizen_services.procedures.catalogue import load_all
from asty_citizen_services.procedures.making import Wish, make
from asty_citizen_services.registry.filing import Desk as Counter
from asty_citizen_services.registry.filing import Filing
from asty_citizen_services.registry.models import Application
from asty_citizen_services.settings import read as read_settings
from asty_citizen_services.workflow.models import CaseState, CaseTask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from stdnum import iso11649

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
TEST_CODE = "99999"


@given(st.integers(1, 10**9), st.integers(1, 10**15 - 1))
def test_a_payment_code_is_whole_and_only_for_its_amount(cents: int, reference: int) -> None:
    code = rf.code(TEST_CODE, cents, reference)
    assert len(code) == 25
    assert iso11649.is_valid(code)
    assert rf.fits(code, cents)
    assert not rf.fits(code[:-1] + str((int(code[-1]) + 1) % 10), cents)


def test_the_digit_of_an_amount_is_the_weighted_sum_of_its_cents() -> None:
    assert rf.amount_digit(1250) == str((0 * 1 + 5 * 7 + 2 * 3 + 1 * 1) % 8)
    assert rf.code(TEST_CODE, None, 7)[9] == "8"
    for organisation, cents, reference in (("1234", 1, 1), ("1234x", 1, 1), (TEST_CODE, 0, 1), (TEST_CODE, 1, 10**15)):
        with pytest.raises(ValueError, match=r"digits|nothing"):
            rf.code(organisation, cents, reference)


@pytest.fixture
def charge(municipality: Any) -> Callable[..., Fee]:
    """Return `charge(cents)`: a new fee of a citizen."""

    def one(cents: int = 1250, key: str = "") -> Fee:
        with municipality.database.begin() as session:
            citizen = remember(session, PERSONS[0], NOW)
            return Fees({}, TEST_CODE).open(
                session, key=key or str(uuid.uuid4()), citizen=citizen, subject="Τέλος τάφου", cents=cents, now=NOW
            )  # fmt: skip

    return one


def state_of(municipality: Any, fee: Fee) -> str:
    with municipality.database.begin() as session:
        return str(session.scalars(select(Fee.state).where(Fee.id == fee.id)).one())


def test_charging_twice_with_one_key_is_one_debt(charge: Callable[..., Fee]) -> None:
    assert charge(key="once").id == charge(key="once").id
    first, second = charge(), charge()
    assert first.code != second.code


def test_a_statement_pays_what_matches_and_names_what_does_not(municipality: Any, charge: Callable[..., Fee], tmp_path: Path) -> None:
    right, short, twice = charge(1250), charge(2000), charge(500)
    lines = [
        ";".join(reconcile.HEAD),
        f"2026-11-24T12:00:00+02:00;{rf.grouped(right.code or '')};12,50;B1",
        f"2026-11-24T12:00:00+02:00;{short.code};19.99;B2",
        f"2026-11-24T12:00:00+02:00;{twice.code};5.00;B3",
        f"2026-11-24T12:00:00+02:00;{twice.code};5.00;B4",
        "2026-11-24T12:00:00+02:00;RF00;1.00;B5",
    ]
    file = tmp_path / "statement.csv"
    file.write_text("\n".join(lines))
    first = municipality.run("payments", "reconcile", str(file))
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[:4] == [
        "newly paid: 2, 17,50 €", "not owed any more, to go back: 0, 0,00 €", "paid before: 0, 0,00 €", "unknown code: 1, 1,00 €",
    ]  # fmt: skip
    assert [state_of(municipality, fee) for fee in (right, short, twice)] == ["paid", "due", "paid"]
    assert "newly paid: 0" in municipality.run("payments", "reconcile", str(file)).stdout
    file.write_text("\n".join(lines).replace("1.00;B5", "x;B5"))
    wrong = municipality.run("payments", "reconcile", str(file))
    assert wrong.returncode == 1
    assert "line 6" in wrong.stderr


@pytest.mark.parametrize("line", ["2026-11-24T12:00:00;RF1;1;B", "2026-11-24T12:00Z;RF1;-1;B", "2026-11-24T12:00Z;RF1;0.001;B", "x;y"])
def test_a_file_that_is_no_statement_changes_nothing(line: str) -> None:
    with pytest.raises(StatementError, match="line 2"):
        list(reconcile.read(";".join(reconcile.HEAD) + "\n" + line))


@pytest.fixture(scope="module")
def paying(municipality: Any, start: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The server with the stand-in for the bank beside it, and a citizen's cookie."""
    import socket

    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    own = tmp_path_factory.mktemp("own")
    make(Wish("adeia", "Άδεια", "Permit", "esoda", "Τμήμα Εσόδων", "14", 20, 1250), own)
    environment = {
        **municipality.environment, "ASTY_CITIZEN_PROCEDURES": str(own), "ASTY_CITIZEN_PORT": str(ports[0]), "ASTY_CITIZEN_BANK_ADDRESS": f"http://localhost:{ports[1]}",
        "ASTY_CITIZEN_BANK_SECRET": "hush",
    }  # fmt: skip
    start("double", "bank", "--port", str(ports[1]), port=ports[1], environment=environment).wait(200)
    web = start("serve", port=ports[0], environment=environment)
    start("worker", port=0, environment=environment)
    web.wait(200)
    with municipality.database.begin() as session:
        departments.store(session, departments.read(departments.OWN))
        token = sessions.begin(session, datetime.now(UTC), citizen=remember(session, PERSONS[0], NOW))
    return {"url": web.url, "cookies": {"asty-session": token}, "environment": environment}


def test_a_citizen_pays_at_the_bank_and_has_a_receipt_and_a_forged_word_pays_nothing(
    municipality: Any, charge: Callable[..., Fee], paying: dict[str, Any]
) -> None:
    fee, other = charge(4250), charge(4250)
    with httpx.Client(base_url=paying["url"], cookies=paying["cookies"], trust_env=False, follow_redirects=True, timeout=30) as client:
        word = {"order": str(fee.id), "cents": 4250, "currency": "EUR", "state": "paid", "bank_reference": "X1"}

        def say(secret: str = "hush", **changed: Any) -> int:
            body = json.dumps(word | changed).encode()
            return client.post(bank.CALLBACK, content=body, headers={bank.SIGNATURE: bank.sign(secret, body)}).status_code

        assert say("guess") == 403
        assert say(cents=1) == 409
        assert say(currency="USD") == 422
        assert say(order=str(uuid.uuid4())) == 404
        assert say(state="refused") == 204
        assert state_of(municipality, fee) == "due"
        assert client.get(f"/payments/{fee.id}/receipt.pdf").status_code == 409
        page = client.get(f"/payments/{fee.id}/pay")
        assert "Δοκιμαστική τράπεζα" in page.text
        assert client.get(str(page.url).replace("cents=4250", "cents=1")).status_code == 400
        back = client.post(str(page.url), data={"do": "paid"})
        assert back.url.path == "/payments"
        assert "Πληρώθηκε" in back.text
        assert state_of(municipality, fee) == "paid"
        assert say(bank_reference="X2") == 409
        assert say(order=str(other.id), bank_reference="X3") == 204
        assert say(order=str(other.id), bank_reference="X3") == 204
        receipt = client.get(f"/payments/{fee.id}/receipt.pdf")
        with pikepdf.open(io.BytesIO(receipt.content)) as pdf:
            assert pdf.Root.MarkInfo.Marked
        text = subprocess.run(["pdftotext", "-", "-"], input=receipt.content, capture_output=True, check=True).stdout.decode()
        assert "42,50 €" in text
        assert "ΔΟΚΙΜΑΣΤΙΚΗ ΠΛΗΡΩΜΗ" in text
        assert rf.grouped(fee.code or "") in client.get("/payments", params={"q": "ταφου", "state": "paid"}).text
        assert "42,50" in client.get("/payments.csv").text
        assert client.get("/notices.csv").text.count("Πληρώθηκε: 42,50 €") == 2
    production = paying["environment"] | {
        "ASTY_PRODUCTION": "1",
        "ASTY_CITIZEN_ADDRESS": "https://a.gr",
        "ASTY_CITIZEN_NOTICES": "console",
        "ASTY_CITIZEN_BANK_ORGANISATION": "12345",
    }
    refused = type(municipality)(municipality.dsn, municipality.database, production).run("double", "bank", "--port", "1")
    assert refused.returncode == 1
    assert "ASTY_PRODUCTION" in refused.stderr


def test_amounts_are_written_as_greeks_do() -> None:
    assert [desk.euros(cents) for cents in (5, 1250, 123456789)] == ["0,05 €", "12,50 €", "1.234.567,89 €"]


class Counting:
    """Files applications that cost 12,50 €, and looks where they are."""

    def __init__(self, municipality: Any, environment: dict[str, str], eventually: Callable[..., Any]) -> None:
        self.settings = read_settings(environment)
        self.database, self.eventually = municipality.database, eventually
        self.cases: Casework = casework.wire(self.settings, self.database, load_all(beside=self.settings.procedures))

    def file(self) -> uuid.UUID:
        """File one whose papers are found complete at once; return it once its fee is charged."""
        counter = Counter("Δήμος", self.settings.zone, on_filed=(self.cases.desk.begin,))
        with self.database.begin() as session:
            citizen = remember(session, PERSONS[0], NOW)
            filing = Filing(
                "adeia", "1", "Άδεια", "esoda", f"citizen:{citizen}", uuid.uuid4().hex, citizen=citizen, answers={"request": "α"}
            )
            case = counter.file_application(session, filing).application_id
            assert case is not None
        self.end(case, "check", "complete")
        self.eventually(lambda: self.here(case) == "pay")
        return case

    def here(self, case: uuid.UUID) -> str:
        with self.database.begin() as session:
            state = session.get_one(CaseState, case)
            return str(state.ended or state.tokens[0])

    def end(self, case: uuid.UUID, step: str, outcome: str, **given: str) -> None:
        with self.database.begin() as session:
            task = session.scalars(
                select(CaseTask).where(CaseTask.application_id == case, CaseTask.step == step, CaseTask.done_at.is_(None))
            ).one()
            self.cases.desk.complete(session, task.token, "staff:test", datetime.now(UTC), outcome, given)

    def fee(self, case: uuid.UUID) -> Fee:
        with self.database.begin() as session:
            return session.scalars(select(Fee).where(Fee.application_id == case).order_by(Fee.number.desc()).limit(1)).one()

    def reconcile(self, case: uuid.UUID, reference: str) -> str:
        lines = [";".join(reconcile.HEAD), f"2026-11-24T12:00:00+02:00;{self.fee(case).code};12,50;{reference}"]
        with self.database.begin() as session:
            return reconcile.reconcile(session, "\n".join(lines), "operator", datetime.now(UTC)).text()


@pytest.fixture(scope="module")
def counting(municipality: Any, paying: dict[str, Any], eventually: Callable[..., Any]) -> Counting:
    return Counting(municipality, paying["environment"], eventually)


def test_a_case_waits_for_its_fee_until_the_bank_says_paid_and_the_citizen_is_led_there(counting: Counting, paying: dict[str, Any]) -> None:
    case = counting.file()
    fee = counting.fee(case)
    with httpx.Client(base_url=paying["url"], cookies=paying["cookies"], trust_env=False, follow_redirects=True, timeout=30) as client:
        page = client.get(f"/cases/{case}").text
        assert "Οφείλεται τέλος: 12,50 €" in page
        assert rf.grouped(fee.code or "") in page
        assert f"/payments/{fee.id}/pay" in page
        assert "12,50" in client.get("/services/adeia").text
        bank_page = client.get(f"/payments/{fee.id}/pay")
        client.post(str(bank_page.url), data={"do": "refused"})
        assert counting.here(case) == "pay"
        client.post(str(bank_page.url), data={"do": "paid"})
        counting.eventually(lambda: counting.here(case) == "sign")
        assert "Οφείλεται τέλος" not in client.get(f"/cases/{case}").text


def test_a_statement_moves_a_case_on_and_what_was_paid_for_a_rejected_one_goes_back(counting: Counting, municipality: Any) -> None:
    case = counting.file()
    assert counting.reconcile(case, "S1").startswith("newly paid: 1")
    counting.eventually(lambda: counting.here(case) == "sign")
    counting.end(case, "sign", "returned", reason="λάθος")
    counting.end(case, "check", "complete")
    counting.eventually(lambda: counting.here(case) == "sign")
    assert counting.fee(case).state == "paid", "sent back and found complete again, it is not charged twice"
    with municipality.database.begin() as session:
        desk.close(session, session.get_one(Application, case), "rejected", NOW)
    assert (counting.fee(case).state, counting.fee(case).why) == ("refund", "rejected")
    with municipality.database.begin() as session:
        desk.refund(session, counting.fee(case).id, "T1", "staff:test", NOW)
    assert counting.fee(case).state == "refunded"
    with municipality.database.begin() as session, pytest.raises(desk.NotOwedError):
        desk.refund(session, counting.fee(case).id, "T2", "staff:test", NOW)
    assert counting.reconcile(case, "S1").splitlines()[2] == "paid before: 1, 12,50 €"


def test_a_fee_that_is_not_paid_in_time_ends_the_case_and_late_money_is_owed_back(counting: Counting, municipality: Any) -> None:
    case = counting.file()
    with municipality.database.begin() as session:
        counting.cases.desk.tick(session, case, datetime.now(UTC) + timedelta(days=45))  # 30, and past any holidays
    assert counting.here(case) == "unpaid"
    assert counting.fee(case).state == "void"
    assert "not owed any more, to go back: 1, 12,50 €" in counting.reconcile(case, "L1")
    assert (counting.fee(case).state, counting.fee(case).why) == ("refund", "late")
    with municipality.database.begin() as session:
        assert session.get_one(Application, case).state == "shelved"


def test_answers_that_change_before_the_payment_change_the_fee_and_void_the_old_code(counting: Counting, municipality: Any) -> None:
    case = counting.file()
    old = counting.fee(case)
    with municipality.database.begin() as session:
        fees = desk.Fees(counting_catalogue(counting, 2000), TEST_CODE)
        assert fees.charge(session, session.get_one(Application, case), "", NOW) == {"fee": 2000}
    new = counting.fee(case)
    assert (new.cents, new.state) == (2000, "due")
    with municipality.database.begin() as session:
        assert session.get_one(Fee, old.id).state == "void"


def counting_catalogue(counting: Counting, cents: int) -> Any:
    import msgspec

    one = load_all(beside=counting.settings.procedures)["adeia"]
    return {"adeia": msgspec.structs.replace(one, manifest=msgspec.structs.replace(one.manifest, fee_cents=cents))}
