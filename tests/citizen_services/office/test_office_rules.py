"""What decides in the office, without a database: ranking, registers, figures, verdicts."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from asty_citizen_services.documents.check import judge
from asty_citizen_services.documents.facts import facts
from asty_citizen_services.documents.verify import Signature
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import Granted, StaffVisitor
from asty_citizen_services.municipal.registers import REGISTERS, compared, fits
from asty_citizen_services.nursery.desk import POINTS
from asty_citizen_services.nursery.ranking import Applicant, Table, rank, read
from asty_citizen_services.office import period, rights
from asty_citizen_services.office.statistics import Course, Stay, figures
from asty_citizen_services.procedures.catalogue import OWN, load_all
from hypothesis import given
from hypothesis import strategies as st

ATHENS = ZoneInfo("Europe/Athens")
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
TABLE = read(OWN / "eggrafi-paidikou-stathmou" / POINTS)
WISHES = st.lists(st.sampled_from(["a", "b", "infants"]), min_size=1, max_size=2)


def applicants(drawn: list[tuple[int, list[str]]]) -> list[Applicant]:
    return [Applicant(str(n), f"{n}/2026", NOW + timedelta(minutes=n), points, tuple(wishes)) for n, (points, wishes) in enumerate(drawn)]


def test_the_table_of_points_names_questions_and_answers_that_the_form_has() -> None:
    form = load_all()["eggrafi-paidikou-stathmou"].form
    assert set(TABLE.stations) == set(form.property("station")["enum"])
    for rule in TABLE.rules:
        schema = form.property(rule.question)
        assert rule.value is None or rule.value in (schema.get("enum") or schema["items"]["enum"])


def test_a_period_holds_both_its_days_and_one_that_ends_before_it_begins_is_none() -> None:
    since, before = period.Period(date(2026, 3, 1), date(2026, 3, 31)).bounds(ATHENS)
    assert (since, before) == (datetime(2026, 3, 1, tzinfo=ATHENS), datetime(2026, 4, 1, tzinfo=ATHENS))
    assert period.read("2026-03-01", "") == period.Period(date(2026, 3, 1), None)
    assert [period.read(*said) for said in (("2026-03-02", "2026-03-01"), ("1/3/2026", ""), ("", "9999-12-31"))] == [None] * 3
    assert period.quick(date(2026, 1, 5))["Last month"] == period.Period(date(2025, 12, 1), date(2025, 12, 31))


def test_points_add_up_each_rule_once() -> None:
    held, points = TABLE.points({"first_work": "full", "parents": "one", "children": 3, "income": 9000.0, "special": ["sibling"]})
    assert points == 15 + 25 + 15 + 20 + 10 + 10
    assert len(held) == 6


@given(st.lists(st.tuples(st.integers(0, 100), WISHES), max_size=120))
def test_nobody_with_fewer_points_has_a_place_that_a_better_one_wished_for(drawn: list[tuple[int, list[str]]]) -> None:
    lists = rank(TABLE, applicants(drawn))
    placed = {one.applicant.id: one.station for places in lists.values() for one in places if one.taken}
    for station, places in lists.items():
        taken = [one for one in places if one.taken]
        assert len(taken) <= TABLE.stations[station].places
        assert [one.rank for one in places] == list(range(1, len(places) + 1))
        worst = min((one.applicant.points for one in taken), default=0)
        for waiting in (one for one in places if not one.taken):
            assert waiting.applicant.id not in placed
            assert len(taken) == TABLE.stations[station].places
            assert waiting.applicant.points <= worst


def test_among_equals_the_earlier_application_comes_first() -> None:
    small = Table({"a": TABLE.stations["a"].__class__(1, TABLE.stations["a"].name)}, ())
    [first, second] = rank(small, applicants([(10, ["a"]), (10, ["a"])]))["a"]
    assert (first.applicant.reference, first.taken, second.taken) == ("0/2026", True, False)


def test_a_register_is_compared_whatever_the_accents_and_the_order_of_names() -> None:
    births = REGISTERS["births_and_deaths"]
    record = {"name": "ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ", "fathername": "ΓΕΩΡΓΙΟΣ", "born_on": "1984-05-17"}
    answers = {"firstname": "Μαρία", "lastname": "Δοκιμαστική", "fathername": "Νικόλαος", "born_on": "1984-05-17"}
    assert fits(births, record, answers)
    said = {line.key: line.agrees for line in compared(births, record, answers, "el")}
    assert (said["name"], said["fathername"], said["born_on"], said["mothername"]) == (True, False, True, None)
    assert not fits(births, record, answers | {"person_firstname": "Ελένη", "person_lastname": "Δοκιμαστική"})


def test_every_register_of_a_procedure_is_known_or_decided_on_papers() -> None:
    named = {one.manifest.register for one in load_all().values()}
    assert named - set(REGISTERS) == {None}


def test_an_optional_answer_that_was_not_given_leaves_its_line_empty() -> None:
    said = facts({}, {}, applicant="Μ", filed="1/2026", out="2/2026", reason="", test_data=True, service={}, place={})
    assert (said["answers"]["anything"], said["record"]["number"], said["address"], said["person"]) == ("", "", "", "Μ")


def test_figures_find_the_bottleneck_and_the_late() -> None:
    day = timedelta(days=1)
    stays = [
        Stay("p", "check", NOW - 10 * day, NOW - 9 * day, NOW - 5 * day),
        Stay("p", "sign", NOW - 9 * day, None, NOW - 5 * day),
    ]
    courses = [Course("p", NOW - 10 * day, None, "open"), Course("p", NOW - 4 * day, NOW, "granted")]
    [found] = figures(courses, stays, NOW)
    assert (found.filed, found.running, found.granted, found.median_days, found.late) == (2, 1, 1, 4.0, 0.5)
    assert [(step.step, step.is_bottleneck, step.median_hours) for step in found.steps] == [("check", False, 24.0), ("sign", True, None)]


def test_a_head_does_the_officers_tasks_and_an_officer_not_the_heads() -> None:
    import uuid

    head = StaffVisitor(uuid.uuid4(), "h", "H", (Granted("esoda", Role.HEAD),))
    officer = StaffVisitor(uuid.uuid4(), "o", "O", (Granted("esoda", Role.OFFICER),))
    assert rights.may_do(head, "esoda", "officer")
    assert not rights.may_do(officer, "esoda", "head")
    assert not rights.may_do(head, "dimotologio", "officer")


def test_a_changed_file_is_told_from_a_foreign_one() -> None:
    good = Signature("f", "n", "c", "i", None, whole=True, trusted=True, covers_all=True)
    bad = Signature("f", "n", "c", "i", None, whole=False, trusted=True, covers_all=True)
    assert [judge([], is_ours=False), judge([good], is_ours=False), judge([good, bad], is_ours=False), judge([good], is_ours=True)] == [
        "unsigned", "foreign", "changed", "good",
    ]  # fmt: skip
