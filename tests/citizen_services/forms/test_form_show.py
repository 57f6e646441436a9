"""What was typed is drawn again as it was typed, and read out in words."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asty_citizen_services
import msgspec
from asty_citizen_services.forms.answers import Fault, read
from asty_citizen_services.forms.form import Form
from asty_citizen_services.forms.show import Field, fields, summary
from asty_look.pages import Pages
from hypothesis import given
from hypothesis import strategies as st


def words(greek: str, english: str = "x") -> dict[str, str]:
    return {"el": greek, "en": english}


FORM = msgspec.convert(
    {
        "schema": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "maxLength": 20},
                "born": {"type": "string", "format": "date"},
                "area": {"type": "number"},
                "people": {"type": "integer"},
                "why": {"type": "string"},
                "status": {"enum": ["married", "single"]},
                "uses": {"type": "array", "items": {"enum": ["bank", "school"]}},
                "papers": {"type": "array", "items": {"type": "string", "format": "file"}},
                "truth": {"type": "boolean", "const": True},
                "children": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {"type": "object", "required": ["first"], "properties": {"first": {"type": "string"}}},
                },
            },
        },
        "pages": [
            {
                "id": "one",
                "title": words("Στοιχεία"),
                "questions": [
                    {"ask": "name", "label": words("Όνομα", "Name"), "hint": words("Όπως στην ταυτότητα")},
                    {"ask": "born", "label": words("Γέννηση", "Birth")},
                    {"ask": "area", "label": words("Εμβαδόν", "Area"), "unit": words("τ.μ.", "m²")},
                    {"ask": "people", "label": words("Άτομα", "People")},
                    {"ask": "why", "label": words("Λόγος", "Why"), "widget": "lines"},
                    {
                        "ask": "status",
                        "label": words("Κατάσταση", "Status"),
                        "options": {"married": words("Έγγαμος/η"), "single": words("Άγαμος/η")},
                    },
                    {"ask": "uses", "label": words("Χρήση", "Use"), "options": {"bank": words("Τράπεζα"), "school": words("Σχολείο")}},
                    {"ask": "papers", "label": words("Έγγραφα", "Papers")},
                    {"ask": "truth", "label": words("Δηλώνω ότι είναι αληθή", "True")},
                    {"ask": "children", "label": words("Παιδιά", "Children"), "many": [{"ask": "first", "label": words("Όνομα", "Name")}]},
                ],
            }
        ],
    },
    Form,
)
PAGE = FORM.pages[0]
FILE = "3f2c1b1e-0000-4000-8000-0123456789ab"
line = st.from_regex(r"[Α-Ωα-ωA-Za-z0-9.,'-]{1,8}( [Α-Ωα-ω]{1,8})?", fullmatch=True)
given_answers = st.fixed_dictionaries(
    {},
    optional={
        "name": line,
        "born": st.dates(date(1900, 1, 1), date(2030, 1, 1)).map(date.isoformat),
        "area": st.floats(0, 1e6).map(lambda x: round(x, 2)),
        "people": st.integers(0, 10**6),
        "why": st.lists(line, min_size=1, max_size=3).map("\n".join),
        "status": st.sampled_from(["married", "single"]),
        "uses": st.sampled_from([["bank"], ["school"], ["bank", "school"]]),
        "papers": st.just([FILE]),
        "truth": st.just(True),
        "children": st.lists(line.map(lambda first: {"first": first}), min_size=1, max_size=3),
    },
)


def posted(drawn: list[Field]) -> Iterator[tuple[str, str]]:
    """Post what is drawn, as a browser does."""
    for field in drawn:
        if field.widget in ("radios", "select", "checkboxes"):
            yield from ((field.name, option.value) for option in field.options if option.chosen)
        elif field.widget == "date":
            yield from ((part.name, part.value) for part in field.parts)
        elif field.widget == "files":
            yield from ((field.name, file) for file in field.files)
        elif field.widget == "group":
            for entry in field.entries:
                yield from posted(list(entry))
        elif field.widget != "checkbox" or field.value:
            yield field.name, field.value


@given(given_answers)
def test_a_page_that_is_shown_again_and_sent_again_says_the_same(answers: dict[str, Any]) -> None:
    assert read(FORM, PAGE, list(posted(fields(FORM, PAGE, answers, [], "el")))) == answers


def test_answers_are_read_out_in_greek_words() -> None:
    answers = {
        "born": "1984-03-05",
        "area": 1234.5,
        "status": "married",
        "uses": ["bank"],
        "papers": [FILE],
        "children": [{"first": "Άννα"}],
    }
    [(_, said)] = summary(FORM, answers | {"truth": True}, "el")
    assert {question.ask: text for question, text in said if text} == {
        "born": "05/03/1984",
        "area": "1.234,5 τ.μ.",
        "status": "Έγγαμος/η",
        "uses": "Τράπεζα",
        "papers": "1 αρχείο",
        "truth": "Ναι",
        "children": "Άννα",
    }


DRAWN = (
    "{% from 'form/fields.html' import draw, faults with context %}"
    "{{ faults(fields, wrong) }}{% for one in fields %}{{ draw(one) }}{% endfor %}"
)


def test_the_drawn_page_ties_each_fault_to_its_field_and_marks_what_is_optional() -> None:
    here = Path(asty_citizen_services.__file__).parent
    pages = Pages(here / "templates", here / "locale", zone=ZoneInfo("Europe/Athens"), org="demo")
    wrong = [Fault("name", "Γράψτε το όνομα.")]
    drawn = fields(FORM, PAGE, {"name": "<b>"}, wrong, "el", {"children": 2})
    html = pages._environments["el"].from_string(DRAWN).render(fields=drawn, wrong=wrong, kiosk=None)
    assert 'href="#f-name"' in html
    assert 'aria-describedby="f-name-hint f-name-error" aria-invalid="true"' in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert html.count('name="children.1.first"') == 1
    assert html.count("(προαιρετικό)") == 8  # all but the required name, the child's name and the box that is its own label
