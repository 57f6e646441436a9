"""Cases in the database: begun with the filing, moved once by each who may, finished by the system whatever breaks in between."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from asty_citizen_services import working_days
from asty_citizen_services.audit import journal
from asty_citizen_services.bpmn.case import NotWaitingError
from asty_citizen_services.identity.models import Citizen, Department, Staff
from asty_citizen_services.procedures.catalogue import Procedure, load_all
from asty_citizen_services.registry import filing as filings
from asty_citizen_services.registry.models import Application
from asty_citizen_services.workflow.desk import ClaimedError, Desk, MissingError
from asty_citizen_services.workflow.models import CaseState, CaseTask
from sqlalchemy import select, text

CATALOGUE = load_all()
RESIDENCE = "vevaiosi-monimis-katoikias"
DONE: list[tuple[str, str]] = []


def does(name: str) -> Any:
    def service(_session: Any, application: Application, what: str, _now: datetime) -> None:
        if application.answers.get("fails") == name:
            raise RuntimeError(f"{name} fails")
        DONE.append((name, what))

    return service


DESK = Desk(CATALOGUE, {name: does(name) for name in ("compose", "deliver", "forward", "notify")})


@pytest.fixture(scope="module")
def people(municipality: Any) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID]:
    """A citizen and two officers."""
    citizen, officer, other, now = uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), datetime.now(UTC)
    with municipality.database.begin() as session:
        session.add(Citizen(id=citizen, taxid="094259216", lastname="Π", firstname="Μ", fathername="Γ", mothername="Ε", birthyear=1950,
                            first_seen_at=now, last_seen_at=now))  # fmt: skip
        session.add(Department(slug="dimotologio", name_el="Δημοτολόγιο", name_en="Register"))
        for one, name in ((officer, "eleni"), (other, "nikos")):
            session.add(Staff(id=one, username=name, name=name, email=f"{name}@example.gr", oidc_subject=None, made_at=now, ended_at=None))
    return citizen, officer, other


@pytest.fixture
def filed(municipality: Any, people: Any) -> Any:
    """Return a filer: the id of the application that it filed."""
    counter = filings.Desk("Δήμος Δοκιμής", ZoneInfo("Europe/Athens"), on_filed=(DESK.begin,))

    def file(slug: str = RESIDENCE, **answers: str) -> uuid.UUID:
        key = uuid.uuid4().hex
        filing = filings.Filing(slug, "1", "Βεβαίωση", "dimotologio", f"citizen:{people[0]}", key, citizen=people[0], answers=answers)
        with municipality.database.begin() as session:
            docket = counter.file_application(session, filing)
            assert docket.application_id is not None
            return docket.application_id

    return file


def waiting(municipality: Any, application: uuid.UUID) -> dict[str, CaseTask]:
    with municipality.database.begin() as session:
        tasks = session.scalars(select(CaseTask).where(CaseTask.application_id == application, CaseTask.done_at.is_(None)))
        return {task.step: task for task in tasks}


def end(municipality: Any, application: uuid.UUID, step: str, outcome: str | None = None, **given: Any) -> None:
    task = waiting(municipality, application)[step]
    with municipality.database.begin() as session:
        DESK.complete(session, task.token, "staff:x", datetime.now(UTC), outcome, given)


def work(municipality: Any, application: uuid.UUID) -> int:
    """Do the system's steps as the worker does; return how many."""
    done = 0
    while True:
        with municipality.database.begin() as session:
            if not DESK.work(session, application, datetime.now(UTC)):
                return done
        done += 1


def state(municipality: Any, application: uuid.UUID) -> str:
    with municipality.database.begin() as session:
        return session.get_one(Application, application).state


def test_a_filed_application_waits_at_once_with_its_department_and_term(municipality: Any, filed: Any) -> None:
    application = filed()
    task = waiting(municipality, application)["check"]
    assert (task.seat, task.role) == ("dimotologio", "officer")
    assert task.due_at is not None
    assert task.due_at == working_days.end_of_term(task.since + timedelta(days=10))
    assert state(municipality, application) == "open"


def test_a_case_goes_from_the_officer_to_the_signed_paper(municipality: Any, filed: Any) -> None:
    application = filed()
    DONE.clear()
    end(municipality, application, "check", "complete")
    assert work(municipality, application) == 1
    assert waiting(municipality, application)["sign"].role == "head"
    end(municipality, application, "sign", "signed")
    assert work(municipality, application) == 1
    assert state(municipality, application) == "granted"
    assert DONE == [("compose", "document"), ("deliver", "document")]
    assert waiting(municipality, application) == {}


def test_the_systems_steps_are_given_to_the_worker_in_the_same_transaction(municipality: Any, filed: Any) -> None:
    application = filed()
    end(municipality, application, "check", "complete")
    with municipality.database.begin() as session:
        jobs = session.execute(text("SELECT args FROM procrastinate_jobs WHERE task_name = 'workflow:work'")).scalars()
        assert {"application": str(application)} in list(jobs)


def test_a_step_of_the_system_that_fails_leaves_the_case_where_it_was(municipality: Any, filed: Any) -> None:
    application = filed(fails="compose")
    end(municipality, application, "check", "complete")
    with pytest.raises(RuntimeError):
        work(municipality, application)
    assert list(waiting(municipality, application)) == ["compose"]


def test_only_one_of_many_who_press_at_once_moves_the_case(municipality: Any, filed: Any) -> None:
    application = filed()
    token = waiting(municipality, application)["check"].token

    def press(outcome: str) -> str:
        try:
            with municipality.database.begin() as session:
                DESK.complete(session, token, "staff:x", datetime.now(UTC), outcome, {"reason": "x"})
        except NotWaitingError:
            return "late"
        return outcome

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(press, ["complete", "reject"] * 4))
    assert said.count("late") == 7
    assert len(waiting(municipality, application)) == 1


def test_a_rejection_without_a_reason_is_not_taken(municipality: Any, filed: Any) -> None:
    application = filed()
    with pytest.raises(MissingError) as error:
        end(municipality, application, "check", "reject")
    assert error.value.what == "reason"
    assert list(waiting(municipality, application)) == ["check"]


def test_while_the_citizen_completes_the_file_the_departments_clock_stands(municipality: Any, filed: Any) -> None:
    application = filed()
    end(municipality, application, "check", "incomplete", questions=["proofs"], reason="Λείπει το μισθωτήριο")
    work(municipality, application)
    with municipality.database.begin() as session:
        it = session.get_one(Application, application)
        assert (it.state, it.due_at) == ("waits_citizen", None)
    end(municipality, application, "amend")
    assert list(waiting(municipality, application)) == ["check"]


def test_time_moves_a_case_whose_term_is_over(municipality: Any, filed: Any) -> None:
    application = filed()
    end(municipality, application, "check", "incomplete", questions=["proofs"], reason="Λείπει")
    work(municipality, application)
    with municipality.database.begin() as session:
        DESK.tick(session, application, datetime.now(UTC) + timedelta(days=40))
    assert state(municipality, application) == "shelved"
    with municipality.database.begin() as session:
        task = session.scalars(select(CaseTask).where(CaseTask.application_id == application, CaseTask.step == "amend")).one()
        assert task.done_by == "time"


def test_a_task_that_somebody_has_is_not_taken_by_another_but_by_the_head(municipality: Any, filed: Any, people: Any) -> None:
    _, officer, other = people
    token = waiting(municipality, filed())["check"].token
    now = datetime.now(UTC)
    with municipality.database.begin() as session:
        DESK.claim(session, token, officer, now)
    with pytest.raises(ClaimedError), municipality.database.begin() as session:
        DESK.claim(session, token, other, now)
    with municipality.database.begin() as session:
        DESK.claim(session, token, other, now, over=True)
        assert session.get_one(CaseTask, token).claimed_by == other
    with municipality.database.begin() as session:
        DESK.release(session, token, other, now)
        assert session.get_one(CaseTask, token).claimed_by is None


def test_a_running_case_keeps_the_diagram_it_began_with(municipality: Any, filed: Any) -> None:
    application = filed()
    old = CATALOGUE[RESIDENCE]
    changed = replace_model(old)
    later = Desk({**CATALOGUE, RESIDENCE: changed}, {})
    with municipality.database.begin() as session:
        assert later.model(session, application).digest == old.model.digest
        task = session.scalars(select(CaseTask).where(CaseTask.application_id == application)).one()
        later.complete(session, task.token, "staff:x", datetime.now(UTC), "complete")
        assert session.get_one(CaseState, application).digest == old.model.digest


def replace_model(procedure: Procedure) -> Procedure:
    return msgspec.structs.replace(procedure, model=msgspec.structs.replace(procedure.model, digest="another"))


def test_every_move_is_in_the_audit(municipality: Any, filed: Any) -> None:
    application = filed()
    end(municipality, application, "check", "reject", reason="Δεν κατοικεί εδώ")
    with municipality.database.begin() as session:
        acts = session.execute(
            text("SELECT act FROM audit_entry WHERE stream = :s ORDER BY number"), {"s": f"case:{application}"}
        ).scalars()
        assert list(acts) == ["registry.file", "workflow.complete"]
        assert list(journal.verify(session)) == []


def test_who_must_co_sign_is_asked_where_the_answers_call_for_it(municipality: Any, filed: Any) -> None:
    minor = filed("arrenon-allagi-onomatos", for_whom="son")
    assert [(task.step, task.seat) for task in waiting(municipality, minor).values()] == [("cosign", "cosigner")]
    assert state(municipality, minor) == "waits_cosigner"
    assert list(waiting(municipality, filed("arrenon-allagi-onomatos", for_whom="self"))) == ["check"]
