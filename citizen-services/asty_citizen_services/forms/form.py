"""The form file: what it may say, and what is wrong with it, by line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from msgspec import Struct

from asty_citizen_services.forms.formats import FORMATS

type Schema = dict[str, Any]
type Widget = Literal["text", "lines", "radios", "select", "checkbox", "checkboxes", "date", "files", "group"]

PREFILLS = ("taxid", "lastname", "firstname", "fathername", "mothername", "birthyear", "phone", "email")
"""What is known of a person who is signed in (docs/citizen-services.md)."""
MOST_RADIOS = 6


class FormError(Exception):
    """The form file is wrong: says the file, the line and what was expected."""


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages."""

    el: str
    en: str

    def of(self, lang: str) -> str:
        return self.en if lang == "en" else self.el


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """How one property of the schema is asked. `when` is a JSON Schema over the answers; the question is shown where they fit it."""

    ask: str
    label: Words
    hint: Words | None = None
    options: dict[str, Words] = {}
    widget: Widget | None = None
    prefill: str | None = None
    fixed: bool = False
    when: Schema | None = None
    autocomplete: str | None = None
    unit: Words | None = None
    many: tuple["Question", ...] = ()


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """One screen of the form."""

    id: str
    title: Words
    questions: tuple[Question, ...]
    intro: Words | None = None
    when: Schema | None = None


class Form(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole form. `schema` is of an object with one property for each question."""

    schema: Schema
    pages: tuple[Page, ...]

    def property(self, name: str) -> Schema:
        found: Schema = self.schema["properties"][name]
        return found

    def questions(self) -> Iterator[Question]:
        for page in self.pages:
            yield from page.questions

    def question(self, name: str) -> Question:
        return next(question for question in self.questions() if question.ask == name)

    def page(self, name: str) -> Page | None:
        return next((page for page in self.pages if page.id == name), None)


def widget_of(question: Question, schema: Mapping[str, Any]) -> Widget:
    """Return how a question is asked: as the file says, else by its schema."""
    if question.widget is not None:
        return question.widget
    if question.many:
        return "group"
    match schema.get("type"):
        case "boolean":
            return "checkbox"
        case "array":
            return "files" if schema["items"].get("format") == "file" else "checkboxes"
    if "enum" in schema:
        return "radios" if len(schema["enum"]) <= MOST_RADIOS else "select"
    if schema.get("format") == "date":
        return "date"
    return "text"


def load(path: Path) -> Form:
    """Read a form file. Raises FormError, OSError."""
    text = path.read_text(encoding="utf-8")
    try:
        form = msgspec.json.decode(text.encode(), type=Form)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise FormError(f"{path}:{line_of(text, _steps(where.rstrip('`')))}: {what}") from error
    except msgspec.DecodeError as error:
        raise FormError(f"{path}: not JSON: {error}") from error
    for steps, what in _wrongs(form):
        raise FormError(f"{path}:{line_of(text, steps)}: {what}")
    return form


type Steps = tuple[str | int, ...]


def _steps(pointer: str) -> Steps:
    """Read `.pages[0].title` into steps; what names no place (`[...]`) ends the way."""
    steps: list[str | int] = []
    for part in pointer.replace("[", ".[").split("."):
        if part.startswith("["):
            if not part[1:-1].isdigit():
                break
            steps.append(int(part[1:-1]))
        elif part:
            steps.append(part)
    return tuple(steps)


def line_of(text: str, steps: Steps) -> int:
    """Return the line, from 1, of the value that the steps lead to, as far as they lead: JSON is YAML, whose nodes know their lines."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 1
    for step in steps:
        match node:
            case yaml.MappingNode():
                pair = next(((key, value) for key, value in node.value if key.value == step), None)
            case yaml.SequenceNode() if isinstance(step, int) and step < len(node.value):
                pair = (node.value[step], node.value[step])
            case _:
                pair = None
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line


def _wrongs(form: Form) -> Iterator[tuple[Steps, str]]:
    try:
        Draft202012Validator.check_schema(form.schema)
    except SchemaError as error:
        yield ("schema", *error.absolute_path), f"no JSON Schema: {error.message}"
        return
    if form.schema.get("type") != "object" or not isinstance(form.schema.get("properties"), dict):
        yield ("schema",), "the schema must be of an object with properties"
        return
    yield from _wrong_pages(form)
    asked = [question.ask for question in form.questions()]
    for name in form.schema["properties"]:
        if asked.count(name) != 1:
            yield ("schema", "properties", name), f"{name} must be asked once and is asked {asked.count(name)} times"
    for name in form.schema.get("required", ()):
        if name not in form.schema["properties"]:
            yield ("schema", "required"), f"{name} is required and has no property"


def _wrong_pages(form: Form) -> Iterator[tuple[Steps, str]]:
    seen: set[str] = set()
    ids: set[str] = set()
    for p, page in enumerate(form.pages):
        if page.id in ids:
            yield ("pages", p, "id"), f"two pages have the id {page.id}"
        ids.add(page.id)
        yield from _wrong_condition(page.when, seen, ("pages", p, "when"))
        for q, question in enumerate(page.questions):
            here: Steps = ("pages", p, "questions", q)
            yield from _wrong_condition(question.when, seen, (*here, "when"))
            if question.ask not in form.schema["properties"]:
                yield (*here, "ask"), f"{question.ask} is asked and is no property of the schema"
                continue
            yield from _wrong_question(question, form.property(question.ask), here)
            seen.add(question.ask)


def _wrong_condition(when: Schema | None, seen: set[str], here: Steps) -> Iterator[tuple[Steps, str]]:
    if when is None:
        return
    try:
        Draft202012Validator.check_schema(when)
    except SchemaError as error:
        yield (*here, *error.absolute_path), f"no JSON Schema: {error.message}"
        return
    for name in when.get("properties", {}):
        if name not in seen:
            yield (*here, "properties", name), f"a condition can ask only for what was asked before; {name} was not"


def _wrong_question(question: Question, schema: Schema, here: Steps) -> Iterator[tuple[Steps, str]]:
    if question.prefill is not None and question.prefill not in PREFILLS:
        yield (*here, "prefill"), f"{question.prefill} is not known of a person; known are {', '.join(PREFILLS)}"
    choices = schema.get("enum") or schema.get("items", {}).get("enum") or ()
    if set(choices) != set(question.options):
        yield (
            (*here, "options"),
            f"{question.ask} takes {', '.join(map(str, choices)) or 'no options'}; each wants a label, and nothing else",
        )
    for one in (schema, schema.get("items", {})):
        if "format" in one and one["format"] not in FORMATS:
            yield (*here, "ask"), f"{question.ask} has the format {one['format']}; known are {', '.join(sorted(FORMATS))}"
    inner = schema.get("items", {}).get("properties", {})
    if [part.ask for part in question.many] != list(inner):
        yield (*here, "many"), f"the entries of {question.ask} have {', '.join(inner) or 'no properties'}, asked in this order"
        return
    for n, part in enumerate(question.many):
        yield from _wrong_question(part, inner[part.ask], (*here, "many", n))
