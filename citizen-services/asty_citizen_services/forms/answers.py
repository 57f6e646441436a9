"""From what a browser posts to answers, and from answers to what is shown, kept and wrong."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from asty_citizen_services.forms.form import Form, Page, Question, Schema, widget_of
from asty_citizen_services.forms.formats import FORMATS, KEEP, tidy
from asty_citizen_services.forms.messages import fault_text

type Answers = dict[str, Any]
type Posted = Sequence[tuple[str, str]]

MOST_ENTRIES = 20


class Fault(NamedTuple):
    """What is wrong with one field, in the reader's language; `field` is its name in the page."""

    field: str
    text: str


def shown(form: Form, answers: Mapping[str, Any]) -> list[tuple[Page, list[Question]]]:
    """Return the pages and questions that these answers call for, in order. What is hidden counts as not answered for what follows."""
    seen: Answers = {}
    pages = []
    for page in form.pages:
        if not _fits(page.when, seen):
            continue
        asked = []
        for question in page.questions:
            if _fits(question.when, seen):
                asked.append(question)
                if question.ask in answers:
                    seen[question.ask] = answers[question.ask]
        if asked:
            pages.append((page, asked))
    return pages


def kept(form: Form, answers: Mapping[str, Any]) -> Answers:
    """Return the answers without those to questions that are not shown."""
    names = [question.ask for _, asked in shown(form, answers) for question in asked]
    return {name: answers[name] for name in names if name in answers}


def read(form: Form, page: Page, posted: Posted) -> Answers:
    """Return the answers of one page as typed values; what can't be read stays as text, so that it can be shown again and found wrong."""
    fields: dict[str, list[str]] = {}
    for name, value in posted:
        fields.setdefault(name, []).append(value)
    answers = {question.ask: _value(question, form.property(question.ask), question.ask, fields) for question in page.questions}
    return {name: value for name, value in answers.items() if value not in (None, "", [])}


def faults(form: Form, answers: Mapping[str, Any], today: date, lang: str, page: Page | None = None) -> list[Fault]:
    """Check the answers of a page, or of the whole form, against its schema; in the order of the questions."""
    asked = [question for one, questions in shown(form, answers) if page is None or one.id == page.id for question in questions]
    names = [question.ask for question in asked]
    schema = {
        "type": "object",
        "properties": {name: form.property(name) for name in names},
        "required": [name for name in form.schema.get("required", ()) if name in names],
    }
    given = {name: answers[name] for name in names if name in answers}
    found: dict[str, str] = {}
    for error in _validator(today)(schema, format_checker=_checker()).iter_errors(given):
        for field, question, one in _places(error, asked):
            found.setdefault(field, fault_text(one, question, lang))
    order = {name: n for n, name in enumerate(names)}
    return [Fault(field, found[field]) for field in sorted(found, key=lambda name: (order[name.split(".")[0]], name))]


def _fits(when: Schema | None, answers: Mapping[str, Any]) -> bool:
    return when is None or Draft202012Validator(when).is_valid(dict(answers))


def _value(question: Question, schema: Schema, name: str, fields: Mapping[str, Sequence[str]]) -> Any:
    match widget_of(question, schema):
        case "date":
            return _date([tidy((fields.get(f"{name}.{part}") or [""])[0]) for part in ("year", "month", "day")])
        case "checkbox":
            return True if fields.get(name) else None
        case "checkboxes" | "files":
            return [value for value in fields.get(name, ()) if value]
        case "group":
            return _entries(question, schema, name, fields)
        case "lines":
            return "\n".join(tidy(line) for line in (fields.get(name) or [""])[0].strip().splitlines())
    return _typed(tidy((fields.get(name) or [""])[0]), schema)


def _entries(question: Question, schema: Schema, name: str, fields: Mapping[str, Sequence[str]]) -> list[Answers]:
    inner = schema["items"]["properties"]
    entries = []
    for n in range(MOST_ENTRIES):
        entry = {part.ask: _value(part, inner[part.ask], f"{name}.{n}.{part.ask}", fields) for part in question.many}
        entry = {key: value for key, value in entry.items() if value not in (None, "", [])}
        if entry:
            entries.append(entry)
    return entries


def _date(parts: Sequence[str]) -> str | None:
    if not any(parts):
        return None
    year, month, day = parts
    return f"{year:0>4}-{month:0>2}-{day:0>2}"


def _typed(text: str, schema: Schema) -> Any:
    """Read a number the Greek way (1.234,5); a text by its format."""
    if not text:
        return None
    if schema.get("type") in ("integer", "number"):
        number = text.replace(".", "").replace(",", ".") if "," in text or schema["type"] == "integer" else text
        try:
            return int(number) if schema["type"] == "integer" else float(number)
        except ValueError:
            return text
    return KEEP.get(schema.get("format", ""), str)(text)


def _places(error: ValidationError, asked: Sequence[Question]) -> list[tuple[str, Question, ValidationError]]:
    """Name the fields that an error is about: a missing property is the field's, not its owner's."""
    path = [str(step) for step in error.absolute_path]
    if error.validator == "required":
        required: list[str] = list(cast("list[str]", error.validator_value))
        missing = [name for name in required if name not in cast("Answers", error.instance)]
        return [(".".join([*path, name]), _question(asked, [*path, name]), error) for name in missing]
    return [(".".join(path), _question(asked, path), error)]


def _question(asked: Sequence[Question], path: Sequence[str]) -> Question:
    question = next(one for one in asked if one.ask == path[0])
    inner = [step for step in path[1:] if not step.isdigit()]
    return next((part for part in question.many if part.ask in inner), question)


@cache
def _checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, is_valid in FORMATS.items():
        checker.checks(name)(lambda value, is_valid=is_valid: not isinstance(value, str) or is_valid(value))
    return checker


@lru_cache(maxsize=2)
def _validator(today: date) -> type[Draft202012Validator]:
    """Return the validator that also knows `notBefore` and `notAfter`: a date, `today`, or years from today such as `-18y`."""

    def bound(text: str) -> date:
        if text == "today":
            return today
        if text.endswith("y"):
            year = today.year + int(text[:-1])
            return date(year, 2, 28) if (today.month, today.day) == (2, 29) else today.replace(year=year)
        return date.fromisoformat(text)

    def not_before(_validator: Any, limit: str, value: Any, _schema: Any) -> Any:
        if isinstance(value, str) and FORMATS["date"](value) and date.fromisoformat(value) < bound(limit):
            yield ValidationError(bound(limit).strftime("%d/%m/%Y"))

    def not_after(_validator: Any, limit: str, value: Any, _schema: Any) -> Any:
        if isinstance(value, str) and FORMATS["date"](value) and date.fromisoformat(value) > bound(limit):
            yield ValidationError(bound(limit).strftime("%d/%m/%Y"))

    extend: Callable[..., type[Draft202012Validator]] = validators.extend
    return extend(Draft202012Validator, {"notBefore": not_before, "notAfter": not_after})
