"""What a template needs to draw a page of a form, and what a person reads of given answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from asty_citizen_services.forms.answers import Answers, Fault, shown
from asty_citizen_services.forms.form import Form, Page, Question, Schema, Widget, widget_of
from asty_citizen_services.forms.formats import FORMATS

_KEYBOARDS = {"afm": "numeric", "amka": "numeric", "postcode": "numeric", "phone": "tel", "mobile": "tel", "email": "email"}
_DATE_PARTS = (("day", "Ημέρα", "Day", 2), ("month", "Μήνας", "Month", 2), ("year", "Έτος", "Year", 4))
LONG = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One of the three fields of a date."""

    name: str
    label: str
    value: str
    length: int


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers to choose from."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One field, ready to be drawn. `name` is what the browser posts; an id in the page is `f-` and the name."""

    name: str
    widget: Widget
    label: str
    hint: str
    required: bool
    fixed: bool
    value: str
    error: str | None
    autocomplete: str | None
    keyboard: str
    unit: str
    length: int | None
    parts: tuple[Part, ...] = ()
    options: tuple[Option, ...] = ()
    files: tuple[str, ...] = ()
    entries: tuple[tuple["Field", ...], ...] = ()
    most: int | None = None
    describes: tuple[str, ...] = ()


def fields(
    form: Form, page: Page, answers: Mapping[str, Any], faults: Sequence[Fault], lang: str, entries: Mapping[str, int] | None = None
) -> list[Field]:
    """Return the fields of a page. `entries` says how many entries of a group to draw, where more are wanted than were given."""
    asked = next((questions for one, questions in shown(form, answers) if one.id == page.id), [])
    wrong = {fault.field: fault.text for fault in faults}
    required = form.schema.get("required", ())
    return [
        _field(
            question,
            form.property(question.ask),
            question.ask,
            answers.get(question.ask),
            question.ask in required,
            wrong,
            lang,
            entries or {},
        )
        for question in asked
    ]


def summary(form: Form, answers: Mapping[str, Any], lang: str) -> list[tuple[Page, list[tuple[Question, str]]]]:
    """Return what was answered, page by page, as a person reads it; a group's entries as one line each, files as their number."""
    return [
        (page, [(question, text(question, form.property(question.ask), answers.get(question.ask), lang)) for question in questions])
        for page, questions in shown(form, answers)
    ]


def text(question: Question, schema: Schema, value: Any, lang: str) -> str:
    """Say one answer in words; an empty text when there is none."""
    if value is None:
        return ""
    match widget_of(question, schema):
        case "checkbox":
            return "Yes" if lang == "en" else "Ναι"
        case "radios" | "select":
            return question.options[value].of(lang) if value in question.options else str(value)
        case "checkboxes":
            return ", ".join(question.options[one].of(lang) for one in value if one in question.options)
        case "files":
            return _count(len(value), lang)
        case "date":
            return date.fromisoformat(value).strftime("%d/%m/%Y") if FORMATS["date"](str(value)) else str(value)
        case "group":
            inner = schema["items"]["properties"]
            return "\n".join(
                ", ".join(filter(None, (text(part, inner[part.ask], entry.get(part.ask), lang) for part in question.many)))
                for entry in value
            )
    said = _number(value, lang)
    return f"{said} {question.unit.of(lang)}" if question.unit else said


def _count(files: int, lang: str) -> str:
    if lang == "en":
        return "1 file" if files == 1 else f"{files} files"
    return "1 αρχείο" if files == 1 else f"{files} αρχεία"


def _number(value: Any, lang: str) -> str:
    """Write a number as the reader types it; text as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    plain = f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
    return plain if lang == "en" else plain.translate(str.maketrans(",.", ".,"))


def _typed(value: Any) -> str:
    """Write a value as `read` understands it in a field."""
    return f"{value:.15g}".replace(".", ",") if isinstance(value, float) else str(value)


def _field(
    question: Question,
    schema: Schema,
    name: str,
    value: Any,
    required: bool,
    wrong: Mapping[str, str],
    lang: str,
    entries: Mapping[str, int],
) -> Field:
    widget = widget_of(question, schema)
    kind = schema.get("format", "")
    return Field(
        name=name,
        widget=widget,
        label=question.label.of(lang),
        hint=question.hint.of(lang) if question.hint else "",
        required=required,
        fixed=question.fixed and value is not None,
        value="" if value is None or widget in ("group", "files", "checkboxes") else _typed(value),
        error=wrong.get(name),
        autocomplete=question.autocomplete,
        keyboard=_KEYBOARDS.get(
            kind, "decimal" if schema.get("type") == "number" else "numeric" if schema.get("type") == "integer" else "text"
        ),
        unit=question.unit.of(lang) if question.unit else "",
        length=schema.get("maxLength"),
        parts=_parts(name, value, lang) if widget == "date" else (),
        options=_options(question, value, lang),
        files=tuple(value or ()) if widget == "files" else (),
        entries=_entries(question, schema, name, value or [], wrong, lang, entries) if widget == "group" else (),
        most=schema.get("maxItems"),
        describes=tuple(f"f-{name}-{what}" for what, there in (("hint", question.hint), ("error", name in wrong)) if there),
    )


def _parts(name: str, value: Any, lang: str) -> tuple[Part, ...]:
    pieces = str(value).split("-") if value else ["", "", ""]
    year, month, day = pieces if len(pieces) == 3 else ["", "", ""]
    given = {"day": day, "month": month, "year": year}
    return tuple(
        Part(f"{name}.{part}", english if lang == "en" else greek, given[part].lstrip("0") if given[part].strip("0") else "", length)
        for part, greek, english, length in _DATE_PARTS
    )


def _options(question: Question, value: Any, lang: str) -> tuple[Option, ...]:
    chosen = value if isinstance(value, list) else [value]
    return tuple(Option(key, label.of(lang), key in chosen) for key, label in question.options.items())


def _entries(
    question: Question, schema: Schema, name: str, value: list[Answers], wrong: Mapping[str, str], lang: str, entries: Mapping[str, int]
) -> tuple[tuple[Field, ...], ...]:
    inner, required = schema["items"]["properties"], schema["items"].get("required", ())
    drawn = max(len(value), entries.get(name, 0), schema.get("minItems", 0), 1)
    return tuple(
        tuple(
            _field(
                part,
                inner[part.ask],
                f"{name}.{n}.{part.ask}",
                value[n].get(part.ask) if n < len(value) else None,
                part.ask in required,
                wrong,
                lang,
                {},
            )
            for part in question.many
        )
        for n in range(drawn)
    )
