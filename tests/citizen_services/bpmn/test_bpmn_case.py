"""A case goes the way of its diagram, keeps its terms, and survives being put away and taken up at any step."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from asty_citizen_services import working_days
from asty_citizen_services.bpmn.case import Case, NotWaitingError, WrongOutcomeError
from asty_citizen_services.bpmn.model import Model, ModelError, load
from asty_citizen_services.procedures.catalogue import OWN, SERVICES

BEGUN = datetime(2026, 11, 24, 8, tzinfo=UTC)
RESIDENCE = OWN / "vevaiosi-monimis-katoikias" / "process.bpmn"
NAME_CHANGE = OWN / "arrenon-allagi-onomatos" / "process.bpmn"


@pytest.fixture(scope="module")
def model() -> Model:
    return load(RESIDENCE, SERVICES)


def end_of(day: date) -> datetime:
    """Return the last second of a day in Athens."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=working_days.ATHENS).astimezone(UTC)


def walk(model: Model, *steps: tuple[str, str | None], facts: dict[str, str] | None = None) -> Case:
    """Take these steps one after the other; the case is put away and taken up between any two."""
    case = Case.begin(model, {"cosigner": "no"} | (facts or {}), BEGUN)
    for step, outcome in steps:
        one = next(waiting for waiting in case.waiting() if waiting.step.id == step)
        case.complete(one.token, BEGUN, outcome)
        case = Case.restore(model, case.text())
    return case


def test_a_complete_file_is_written_signed_and_delivered(model: Model) -> None:
    case = walk(model, ("check", "complete"), ("compose", None), ("sign", "signed"), ("deliver", None))
    assert case.ended == "issued"
    assert case.waiting() == ()
    assert case.terms() == ()
    assert case.tokens == ("issued",)
    assert case.passed[:3] == ("filed", "check", "checked")


def test_what_lacks_is_asked_for_and_the_file_comes_back_to_the_officer(model: Model) -> None:
    case = walk(model, ("check", "incomplete"), ("ask", None))
    assert [one.step.lane for one in case.waiting()] == ["Πολίτης"]
    case = walk(model, ("check", "incomplete"), ("ask", None), ("amend", None))
    assert case.tokens == ("check",)


def test_a_file_that_is_never_completed_is_shelved_when_its_term_is_over(model: Model) -> None:
    case = walk(model, ("check", "incomplete"), ("ask", None))
    [term] = case.terms()
    assert term.due == end_of(date(2026, 12, 24))
    case.tick(term.due - timedelta(minutes=1))
    assert case.ended is None
    case.tick(term.due + timedelta(minutes=1))
    assert case.ended == "shelved"


def test_the_head_is_warned_when_the_deadline_passes_and_the_officer_keeps_the_file(model: Model) -> None:
    case = walk(model)
    [term] = case.terms()
    assert term.due == end_of(date(2026, 12, 4))
    case.tick(term.due + timedelta(minutes=1))
    assert set(case.tokens) == {"check", "warn"}
    case.tick(term.due + timedelta(days=5))
    assert set(case.tokens) == {"check", "warn"}


def test_the_deadline_runs_anew_from_the_day_the_file_is_complete(model: Model) -> None:
    case = walk(model, ("check", "incomplete"), ("ask", None))
    case.complete(case.waiting()[0].token, BEGUN + timedelta(days=7))
    assert case.terms()[0].due == end_of(date(2026, 12, 11))


def test_the_departments_clock_goes_on_when_the_file_comes_back_from_its_own_people(model: Model) -> None:
    case = walk(model, ("check", "misdirected"))
    [forward] = case.waiting()
    case.complete(forward.token, BEGUN + timedelta(days=2), runs=end_of(date(2026, 12, 4)))
    assert case.tokens == ("check",)
    assert case.terms()[0].due == end_of(date(2026, 12, 4))


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        (date(2026, 11, 24), date(2026, 11, 24)),  # a Tuesday
        (date(2026, 12, 5), date(2026, 12, 7)),  # a Saturday
        (date(2026, 12, 25), date(2026, 12, 28)),  # Christmas, and the week end behind it
        (date(2027, 4, 30), date(2027, 5, 5)),  # Good Friday, the week end, Easter Monday, the First of May observed on Tuesday
        (date(2027, 3, 15), date(2027, 3, 16)),  # Clean Monday
        (date(2027, 6, 21), date(2027, 6, 22)),  # Monday of the Holy Spirit
    ],
)
def test_a_term_that_would_end_on_a_day_without_work_ends_with_the_next_working_day(last: date, ends: date) -> None:
    assert working_days.end_of_term(datetime(last.year, last.month, last.day, 21, 30, tzinfo=working_days.ATHENS)) == end_of(ends)


def test_a_rejection_can_be_objected_to_until_its_term_is_over(model: Model) -> None:
    rejected = (("check", "reject"), ("compose_no", None), ("sign_no", "signed"), ("deliver_no", None))
    case = walk(model, *rejected)
    case.tick(BEGUN + timedelta(days=16))
    assert case.ended == "rejected"
    assert walk(model, *rejected, ("object", None), ("hear", "accepted")).tokens == ("check",)
    assert walk(model, *rejected, ("object", None), ("hear", "denied"), ("uphold", None)).ended == "upheld"


def test_a_head_who_does_not_sign_sends_the_file_back(model: Model) -> None:
    assert walk(model, ("check", "complete"), ("compose", None), ("sign", "returned")).tokens == ("check",)


def test_a_diagram_tells_how_many_sign_each_document(model: Model) -> None:
    assert [model.signers(f"compose:{one}") for one in ("document", "rejection", "nothing")] == [1, 1, 0]


def test_a_second_signature_is_waited_for_only_where_it_is_needed() -> None:
    model = load(NAME_CHANGE, SERVICES)
    assert walk(model, facts={"cosigner": "yes"}).tokens == ("cosign",)
    assert walk(model, ("cosign", None), facts={"cosigner": "yes"}).tokens == ("check",)
    assert walk(model, facts={"cosigner": "no"}).tokens == ("check",)


def test_an_officer_is_offered_the_ways_out_of_the_diagram_and_no_other(model: Model) -> None:
    assert [outcome.name for outcome in model.steps["check"].outcomes] == ["Πλήρης", "Ελλιπής", "Αναρμόδια", "Απόρριψη"]
    assert model.steps["check"].outcome("reject").asks == ("reason",)  # type: ignore[union-attr]
    case = walk(model)
    with pytest.raises(WrongOutcomeError, match="complete, incomplete, misdirected, reject"):
        case.complete(case.waiting()[0].token, BEGUN, "approve")
    assert case.tokens == ("check",)


def test_a_step_is_done_once_however_often_it_is_sent(model: Model) -> None:
    case = walk(model)
    token = case.waiting()[0].token
    case.complete(token, BEGUN, "complete")
    with pytest.raises(NotWaitingError):
        case.complete(token, BEGUN, "complete")
    with pytest.raises(NotWaitingError):
        case.complete(uuid4(), BEGUN)
    assert case.tokens == ("compose",)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('asty:does="compose:document"', 'asty:does="erase"', "known are"),
        ("bpmn:serviceTask", "bpmn:scriptTask", "may not hold scriptTask"),
        ('outcome == "complete"', "__import__('os').system('id')", "only compares"),
        ('outcome == "complete"', "outcome ==", "can't be read"),
        ('"P10D"', "days(10)", "ISO 8601"),
        ("<bpmn:flowNodeRef>check</bpmn:flowNodeRef>", "", "stands in no lane"),
        ("</bpmn:definitions>", "", "no XML"),
        ('name="Υπογραφή" ', "", "has no name"),
    ],
)
def test_a_model_that_can_do_harm_or_leads_nowhere_is_refused_with_its_line(tmp_path: Path, was: str, becomes: str, says: str) -> None:
    text = RESIDENCE.read_text(encoding="utf-8")
    assert was in text
    path = tmp_path / "process.bpmn"
    path.write_text(text.replace(was, becomes), encoding="utf-8")
    with pytest.raises(ModelError, match=says) as error:
        load(path, SERVICES)
    assert str(error.value).startswith(f"{path}:")
