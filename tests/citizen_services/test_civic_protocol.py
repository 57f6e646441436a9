"""The protocol: no gap, no number twice, nothing half filed, whatever breaks."""

import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.notices.models import Notice
from asty_citizen_services.registry import protocol, receipt
from asty_citizen_services.registry.filing import Desk, Filing, KeyReusedError
from asty_citizen_services.registry.models import Application, Docket
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

ATHENS = ZoneInfo("Europe/Athens")
DESK = Desk("Δήμος Δοκιμής", ATHENS)


@pytest.fixture(scope="module")
def citizen(municipality: Any) -> uuid.UUID:
    one, now = uuid.uuid4(), datetime.now(UTC)
    with municipality.database.begin() as session:
        session.add(
            Citizen(id=one, taxid="023456783", lastname="Π", firstname="Μ", fathername="Γ", mothername="Ε", birthyear=1980,
                    first_seen_at=now, last_seen_at=now)
        )  # fmt: skip
    return one


def filing(citizen: uuid.UUID, key: str, **answers: str) -> Filing:
    return Filing(
        procedure="residence", version="1", subject="Βεβαίωση Μόνιμης Κατοικίας", department="register", filed_by=f"citizen:{citizen}",
        key=key, citizen=citizen, answers=answers, days=50,
    )  # fmt: skip


def numbers(municipality: Any) -> list[int]:
    with municipality.database.begin() as session:
        return list(session.scalars(select(Docket.number).where(Docket.year == datetime.now(ATHENS).year).order_by(Docket.number)))


def test_two_hundred_at_once_with_crashes_leave_neither_gap_nor_double(municipality: Any, citizen: uuid.UUID) -> None:
    database = municipality.database

    def one(n: int) -> str:
        try:
            with database.begin() as session:
                docket = DESK.file_application(session, filing(citizen, f"rush-{n}"))
                if n % 5 == 0:
                    raise RuntimeError("the form's own trouble")  # noqa: TRY301  as a page's code does
                if n % 7 == 0:  # the connection dies before the commit
                    backend = session.scalar(text("SELECT pg_backend_pid()"))
                    with database.begin() as other:
                        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
                return docket.reference
        except (RuntimeError, DBAPIError):
            return ""

    before = len(numbers(municipality))
    with ThreadPoolExecutor(12) as pool:
        given = [reference for reference in pool.map(one, range(1, 201)) if reference]
    lasting = [n for n in range(1, 201) if n % 5 and n % 7]
    assert len(given) - len(set(given)) == 0
    assert numbers(municipality) == list(range(1, before + len(lasting) + 1))
    with database.begin() as session:
        filed = select(func.count()).select_from(Application)
        notices = select(func.count()).select_from(Notice)
        assert session.scalar(filed) == session.scalar(notices) == len(numbers(municipality))
        ordered = session.scalars(select(Docket.at).order_by(Docket.number)).all()
        assert list(ordered) == sorted(ordered)


def test_a_process_killed_before_its_commit_leaves_no_gap(municipality: Any, citizen: uuid.UUID) -> None:
    before = numbers(municipality)
    program = f"""
import sys, uuid
sys.path[:0] = {sys.path!r}
from asty_citizen_services.database import Database
from test_civic_protocol import DESK, filing
with Database({municipality.dsn!r}).begin() as session:
    print(DESK.file_application(session, filing(uuid.UUID({str(citizen)!r}), "killed")).reference, flush=True)
    sys.stdin.read()
"""
    here = Path(__file__).parent
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=here)
    assert child.stdout is not None
    given = child.stdout.readline().decode().strip()
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    with municipality.database.begin() as session:
        docket = DESK.file_application(session, filing(citizen, "after"))
    assert docket.reference == given
    assert numbers(municipality) == [*before, len(before) + 1]


def test_a_form_sent_twice_is_filed_once_also_at_the_same_moment(municipality: Any, citizen: uuid.UUID) -> None:
    def send(_: int) -> str:
        with municipality.database.begin() as session:
            return DESK.file_application(session, filing(citizen, "double", street="Ερμού 1")).reference

    before = numbers(municipality)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(16)))) == 1
    assert len(numbers(municipality)) == len(before) + 1
    with pytest.raises(KeyReusedError), municipality.database.begin() as session:
        DESK.file_application(session, filing(citizen, "double", street="Ερμού 2"))
    assert len(numbers(municipality)) == len(before) + 1


def test_the_year_that_ends_while_a_filing_waits_keeps_its_numbers(municipality: Any) -> None:
    midnight = datetime(2030, 1, 1, tzinfo=ATHENS)
    times = iter(
        [midnight - timedelta(seconds=1), midnight + timedelta(seconds=1), midnight + timedelta(seconds=1), midnight + timedelta(seconds=2)]
    )
    with municipality.database.begin() as session:
        docket = protocol.enter(
            session, direction="out", issuer="Δ", subject="Α", department="register", content_hash=b"", zone=ATHENS,
            clock=lambda: next(times),
        )  # fmt: skip
        assert docket.reference == "1/2030"
        assert session.scalar(text("SELECT last FROM protocol_year WHERE year = 2029")) == 0


def test_a_cancelled_entry_stays_with_its_reason_and_its_number_is_not_given_again(municipality: Any, citizen: uuid.UUID) -> None:
    now = datetime.now(UTC)
    with municipality.database.begin() as session:
        docket = DESK.file_application(session, filing(citizen, "to-cancel"))
        protocol.cancel(session, docket.id, actor="staff:x", why="δοκιμή", now=now)
    with municipality.database.begin() as session:
        assert DESK.file_application(session, filing(citizen, "next")).number == docket.number + 1
        with pytest.raises(protocol.CancelledAlreadyError):
            protocol.cancel(session, docket.id, actor="staff:x", why="πάλι", now=now)
    for change in (
        "DELETE FROM docket WHERE id = :id",
        "UPDATE docket SET subject = 'x' WHERE id = :id",
        "UPDATE docket SET cancelled_why = 'x' WHERE id = :id",
    ):
        with pytest.raises(DBAPIError, match="cancelled, never changed or deleted"), municipality.database.begin() as session:
            session.execute(text(change), {"id": docket.id})


def test_a_receipt_says_who_what_when_with_zone_and_number(municipality: Any, citizen: uuid.UUID) -> None:
    july = datetime(2031, 7, 1, 9, 5, 12, tzinfo=UTC)
    with municipality.database.begin() as session:
        docket = Desk("Δήμος Δοκιμής", ATHENS, clock=lambda: july).file_application(session, filing(citizen, "receipt"))
        due = session.get_one(Application, docket.application_id).due_at
    said = receipt.of(docket, ATHENS)
    assert (said.reference, said.issuer, said.subject) == ("1/2031", "Δήμος Δοκιμής", "Βεβαίωση Μόνιμης Κατοικίας")
    assert said.written_at == "01/07/2031 12:05:12 EEST"
    assert due == datetime(2031, 8, 20, 23, 59, 59, tzinfo=ATHENS), "the end of the fiftieth day, a working one"


def test_what_follows_a_filing_is_there_with_it_or_not_at_all(municipality: Any, citizen: uuid.UUID) -> None:
    def breaks(_session: Any, _application: Application, _docket: Docket) -> None:
        raise RuntimeError("the process model is broken")

    before = numbers(municipality)
    with pytest.raises(RuntimeError), municipality.database.begin() as session:
        Desk("Δ", ATHENS, on_filed=(breaks,)).file_application(session, filing(citizen, "unfollowed"))
    assert numbers(municipality) == before
    with municipality.database.begin() as session:
        assert session.scalar(select(func.count()).select_from(Application).where(Application.key == "unfollowed")) == 0


def test_every_filing_is_in_the_audit_and_its_chain_holds(municipality: Any) -> None:
    with municipality.database.begin() as session:
        assert list(journal.verify(session)) == []
        acts = Counter(session.scalars(text("SELECT act FROM audit_entry")))
        assert acts["registry.file"] == session.scalar(select(func.count()).select_from(Application))
