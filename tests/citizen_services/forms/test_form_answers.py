"""What a citizen types becomes typed answers; what is wrong is said beside the field, in Greek."""

from datetime import date
from typing import Any

import msgspec
import pytest
from asty_citizen_services.forms.answers import faults, kept, read, shown
from asty_citizen_services.forms.form import Form
from asty_citizen_services.forms.formats import FORMATS, KEEP
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 24)
FILE = "3f2c1b1e-0000-4000-8000-0123456789ab"


def words(text: str) -> dict[str, str]:
    return {"el": text, "en": text}


def form(properties: dict[str, Any], *, required: tuple[str, ...] = (), **how: dict[str, Any]) -> Form:
    """Make a form of one page; `how` says more of a question."""
    questions = [{"ask": name, "label": words(name)} | how.get(name, {}) for name in properties]
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return msgspec.convert({"schema": schema, "pages": [{"id": "one", "title": words("one"), "questions": questions}]}, Form)


def answer(one: Form, *posted: tuple[str, str]) -> dict[str, Any]:
    return read(one, one.pages[0], posted)


def texts(one: Form, answers: dict[str, Any], lang: str = "el") -> dict[str, str]:
    return dict(faults(one, answers, TODAY, lang))


@pytest.mark.parametrize(
    ("schema", "typed", "kept_as"),
    [
        ({"type": "string", "format": "afm"}, " 123 456 783 ", "123456783"),
        ({"type": "string", "format": "identity-card"}, "ab 123456", "ΑΒ123456"),
        ({"type": "string", "format": "mobile"}, "690 000 0000", "+306900000000"),
        ({"type": "string", "format": "phone"}, "24210-12345", "+302421012345"),
        ({"type": "string", "format": "postcode"}, "382 21", "38221"),
        ({"type": "number"}, "1.234,5", 1234.5),
        ({"type": "number"}, "12.5", 12.5),
        ({"type": "integer"}, "1.200", 1200),
        ({"type": "integer"}, "δύο", "δύο"),
        ({"type": "string"}, "  Παπαδο\u0301πουλος   Γεώργιος ", "Παπαδόπουλος Γεώργιος"),
    ],
)
def test_a_value_is_kept_in_one_form_however_it_was_typed(schema: dict[str, Any], typed: str, kept_as: object) -> None:
    assert answer(form({"x": schema}), ("x", typed)) == {"x": kept_as}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("afm", "094259216", "094259217"),
        ("afm", "094259216", "000000000"),
        ("amka", "01013099997", "01013099996"),
        ("mobile", "+306912345678", "+302421012345"),
        ("postcode", "38221", "08221"),
        ("postcode", "85999", "86000"),
        ("date", "2024-02-29", "2023-02-29"),
        ("email", "maria@volos.example", "maria@volos"),
        ("iban", "GR1601101250000000012300695", "GR1601101250000000012300696"),
        ("identity-card", "ΑΒ123456", "AB123456"),
        ("file", FILE, "../../etc/passwd"),
    ],
)
def test_a_wrong_number_is_found_and_the_citizen_told_how_it_should_look(kind: str, good: str, bad: str) -> None:
    one = form({"x": {"type": "string", "format": kind}})
    assert texts(one, {"x": good}) == {}
    assert len(texts(one, {"x": bad})["x"]) > 20
    assert texts(one, {"x": bad}) != texts(one, {"x": bad}, "en")


def test_what_is_missing_is_named() -> None:
    one = form({"street": {"type": "string"}}, required=("street",), street={"label": words("Οδός")})
    assert texts(one, {}) == {"street": "Συμπληρώστε: Οδός"}


def test_a_box_that_must_be_ticked_is_missing_when_it_is_not() -> None:
    one = form({"truth": {"type": "boolean", "const": True}}, required=("truth",))
    assert answer(one) == {}
    assert list(texts(one, {})) == ["truth"]
    assert texts(one, answer(one, ("truth", "on"))) == {}


@pytest.mark.parametrize(
    ("limits", "day", "fits"),
    [
        ({"notAfter": "today"}, "2026-11-24", True),
        ({"notAfter": "today"}, "2026-11-25", False),
        ({"notAfter": "-18y"}, "2008-11-24", True),
        ({"notAfter": "-18y"}, "2008-11-25", False),
        ({"notBefore": "1900-01-01"}, "1899-12-31", False),
    ],
)
def test_a_day_outside_its_limits_is_refused_with_the_limit(limits: dict[str, str], day: str, fits: bool) -> None:
    one = form({"born": {"type": "string", "format": "date"} | limits})
    said = texts(one, {"born": day})
    assert (said == {}) is fits
    assert fits or "/" in said["born"]


def test_the_leap_day_has_an_anniversary_every_year() -> None:
    one = form({"born": {"type": "string", "format": "date", "notAfter": "-18y"}})
    assert dict(faults(one, {"born": "2010-02-28"}, date(2028, 2, 29), "el")) == {}
    assert dict(faults(one, {"born": "2010-03-01"}, date(2028, 2, 29), "el")) != {}


def test_a_date_is_asked_in_three_parts_and_half_a_date_is_shown_as_wrong() -> None:
    one = form({"born": {"type": "string", "format": "date"}})
    assert answer(one, ("born.day", "5"), ("born.month", "3"), ("born.year", "1984")) == {"born": "1984-03-05"}
    half = answer(one, ("born.day", "5"), ("born.month", ""), ("born.year", "1984"))
    assert list(texts(one, half)) == ["born"]
    assert answer(one, ("born.day", ""), ("born.month", ""), ("born.year", "")) == {}


def test_several_files_and_several_choices_are_kept_in_order() -> None:
    one = form(
        {
            "files": {"type": "array", "items": {"type": "string", "format": "file"}},
            "for": {"type": "array", "items": {"enum": ["a", "b"]}},
        }
    )
    assert answer(one, ("files", FILE), ("for", "b"), ("for", "a")) == {"files": [FILE], "for": ["b", "a"]}


CHILDREN = {
    "children": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "amka": {"type": "string", "format": "amka"}},
        },
    }
}
CHILDREN_ASKED = {"many": [{"ask": "name", "label": words("Όνομα")}, {"ask": "amka", "label": words("ΑΜΚΑ")}]}


def test_entries_of_a_group_are_read_one_by_one_and_empty_ones_left_out() -> None:
    one = form(CHILDREN, children=CHILDREN_ASKED)
    posted = [("children.0.name", "Άννα"), ("children.0.amka", "01013099997"), ("children.1.name", " "), ("children.2.name", "Νίκος")]
    assert answer(one, *posted) == {"children": [{"name": "Άννα", "amka": "01013099997"}, {"name": "Νίκος"}]}


def test_a_fault_in_an_entry_stands_beside_that_entrys_field() -> None:
    one = form(CHILDREN, children=CHILDREN_ASKED)
    said = texts(one, {"children": [{"name": "Άννα", "amka": "1"}, {"amka": "01013099997"}]})
    assert set(said) == {"children.0.amka", "children.1.name"}
    assert said["children.1.name"] == "Συμπληρώστε: Όνομα"


def married() -> Form:
    properties = {"married": {"enum": ["yes", "no"]}, "spouse": {"type": "string"}, "spouse_afm": {"type": "string", "format": "afm"}}
    how: dict[str, Any] = {
        "married": {"options": {"yes": words("ναι"), "no": words("όχι")}},
        "spouse": {"when": {"properties": {"married": {"const": "yes"}}, "required": ["married"]}},
        "spouse_afm": {"when": {"required": ["spouse"]}},
    }
    return form(properties, required=("married", "spouse"), **how)


def test_a_question_that_is_not_asked_is_not_required_nor_kept() -> None:
    one = married()
    left_over = {"married": "no", "spouse": "Μαρία", "spouse_afm": "1"}
    assert [question.ask for _, asked in shown(one, left_over) for question in asked] == ["married"]
    assert texts(one, left_over) == {}
    assert kept(one, left_over) == {"married": "no"}
    assert list(texts(one, {"married": "yes"})) == ["spouse"]


def test_faults_come_in_the_order_of_the_questions() -> None:
    one = form({"b": {"type": "string"}, "a": {"type": "string"}}, required=("a", "b"))
    assert [fault.field for fault in faults(one, {}, TODAY, "el")] == ["b", "a"]


@given(st.lists(st.tuples(st.sampled_from(["born.day", "born.year", "n", "afm", "children.0.name", "children.1.amka", "x"]), st.text())))
def test_whatever_a_browser_posts_is_answered_with_faults_and_never_with_a_crash(posted: list[tuple[str, str]]) -> None:
    properties = {
        "born": {"type": "string", "format": "date", "notAfter": "today"},
        "n": {"type": "integer"},
        "afm": {"type": "string", "format": "afm"},
    }
    one = form(properties | CHILDREN, required=("born",), children=CHILDREN_ASKED)
    for fault in faults(one, answer(one, *posted), TODAY, "el"):
        assert fault.text


@given(st.sampled_from(sorted(KEEP)), st.text())
def test_keeping_a_value_twice_changes_nothing(kind: str, text: str) -> None:
    once = KEEP[kind](text)
    assert KEEP[kind](once) == once
    assert FORMATS[kind](once) in (True, False)
