"""What is wrong with a folder that can be read: what people would stumble over, or what would fail at the first case."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, meta, nodes
from lxml import etree

from asty_citizen_services.bpmn.model import ASTY, BPMN
from asty_citizen_services.forms import form as forms
from asty_citizen_services.forms.form import Form, Question, Schema, Words
from asty_citizen_services.identity import departments
from asty_citizen_services.municipal.registers import REGISTERS
from asty_citizen_services.notices.texts import TEXTS
from asty_citizen_services.procedures import manifest as manifests
from asty_citizen_services.procedures.catalogue import Procedure, ProcedureError, load
from asty_citizen_services.procedures.manifest import Retention

FACTS = frozenset(
    {
        *("docket", "out", "applicant", "answers", "record", "address", "person", "child", "children", "service", "place", "reason"),
        *("test_data", "head", "code", "check_address", "qr", "today"),
    }
)
"""What a document's template may name (docs/citizen-services.md)."""
FILTERS = ("day", "number")
"""What a document's template may do to a value, beside Jinja's own."""
LONGEST_DAYS = 365
_GREEK, _LATIN = re.compile(r"[α-ωά-ώΑ-Ω]"), re.compile(r"[A-Za-z]")


def check(folders: Collection[Path], known: Collection[str] | None = None) -> tuple[list[Procedure], list[str]]:
    """Read and check folders of procedures; return those that can be read, and a line for each fault, with file and line.

    `known` are the slugs of the municipality's departments, ours when None. Raises OSError.
    """
    offices = departments.read(departments.OWN) if known is None else known
    whole: list[Procedure] = []
    said: list[str] = []
    numbers: dict[str, Path] = {}
    for folder in folders:
        try:
            procedure = load(folder)
        except ProcedureError as error:
            said += str(error).splitlines()
            continue
        whole.append(procedure)
        said += faults(procedure, offices)
        number = procedure.manifest.number
        if number in numbers:
            text = (folder / "manifest.toml").read_text(encoding="utf-8")
            said.append(
                f"{folder / 'manifest.toml'}:{manifests.line_of(text, ['number'])}: {numbers[number].name} has the number {number} too"
            )
        numbers[number] = folder
    return whole, said


def faults(one: Procedure, offices: Collection[str]) -> list[str]:
    """Return what does not make sense in a folder whose files can be read and fit together."""
    return [*_in_manifest(one, offices), *_in_form(one), *_in_process(one), *_in_documents(one)]


def _in_manifest(one: Procedure, offices: Collection[str]) -> Iterator[str]:
    path = one.folder / "manifest.toml"
    text, it = path.read_text(encoding="utf-8"), one.manifest

    def at(*keys: str) -> str:
        return f"{path}:{manifests.line_of(text, list(keys))}"

    if not re.fullmatch(r"[a-z][a-z0-9-]{1,60}", one.slug):
        yield f"{path}:1: the folder's name is the procedure's address: expected a-z, 0-9 and hyphens, not {one.slug}"
    if not re.fullmatch(r"\d+(\.\d+)*", it.number):
        yield f"{at('number')}: a number is such as 14 or 13.2, not {it.number!r}"
    if not it.law or not all(law.text.strip() for law in it.law):
        yield f"{at('law')}: on what law does it stand? name it under [[law]], confirmed = false until the lawyer has looked at it"
    if it.deadline_days > LONGEST_DAYS:
        yield f"{at('deadline_days')}: {it.deadline_days} days are more than a year: the law gives 50 where nothing else is said"
    for name, office in (("department", it.department), *((lane, seat.department) for lane, seat in it.seats.items())):
        if office not in offices:
            yield f"{at('department' if name == 'department' else 'seats')}: no department {office}; known are {', '.join(offices)}"
    for keys, words in (
        (("title",), it.title), (("summary",), it.summary), (("category",), it.category), (("outcome",), it.outcome),
        *((("papers", "name"), paper.name) for paper in it.papers), *((("fee", "why"), rule.why) for rule in it.fee),
    ):  # fmt: skip
        for what in _untranslated(words):
            yield f"{at(*keys)}: {keys[-1]}: {what}"
    if it.register is not None and it.register not in REGISTERS:
        yield f"{at('register')}: there is no register {it.register}; known are {', '.join(REGISTERS)}"
    yield from _in_retention(it.retention, at)


def _in_retention(retention: Retention, at: Callable[..., str]) -> Iterator[str]:
    for state, years in (("granted", retention.granted), ("rejected", retention.rejected)):
        if years is not None and not 0 < years <= 100:
            yield f"{at('retention', state)}: kept for {years} years: expected 1 to 100, or leave the line out to keep it for good"


def _in_form(one: Procedure) -> Iterator[str]:
    path = one.folder / "form.json"
    text = path.read_text(encoding="utf-8")
    papers = {paper.question for paper in one.manifest.papers}
    required = one.form.schema.get("required", ())
    for p, page in enumerate(one.form.pages):
        here: forms.Steps = ("pages", p)
        for step, words in (("title", page.title), ("intro", page.intro)):
            for what in _untranslated(words):
                yield f"{path}:{forms.line_of(text, (*here, step))}: {step} of the page {page.id}: {what}"
        if not page.questions:
            yield f"{path}:{forms.line_of(text, here)}: the page {page.id} asks nothing"
        for condition, steps in [(page.when, (*here, "when"))] + [
            (question.when, (*here, "questions", q, "when")) for q, question in enumerate(page.questions)
        ]:
            for name, what in _never(one.form, condition):
                yield f"{path}:{forms.line_of(text, (*steps, 'properties', name))}: {what}"
        for q, question in enumerate(page.questions):
            yield from (f"{path}:{forms.line_of(text, (*here, 'questions', q))}: {what}" for what in _in_question(question))
            schema = one.form.property(question.ask)
            if forms.widget_of(question, schema) == "files" and question.ask in required and question.ask not in papers:
                yield (
                    f"{path}:{forms.line_of(text, (*here, 'questions', q))}: {question.ask} must be attached: "
                    "say under [[papers]] of the manifest what citizens have to bring"
                )


def _in_question(question: Question) -> Iterator[str]:
    for name, words in (
        ("label", question.label),
        ("hint", question.hint),
        *((f"option {key}", it) for key, it in question.options.items()),
    ):
        for what in _untranslated(words):
            yield f"{name} of {question.ask}: {what}"
    for part in question.many:
        yield from _in_question(part)


def _never(form: Form, when: Schema | None) -> Iterator[tuple[str, str]]:
    """Yield what a condition waits for and nobody can answer."""
    for name, wanted in (when or {}).get("properties", {}).items():
        schema = form.property(name)
        choices = schema.get("enum") or schema.get("items", {}).get("enum")
        values = [*wanted.get("enum", ()), *([wanted["const"]] if "const" in wanted else []), *_held(wanted)]
        for value in values if choices else ():
            if value not in choices:
                yield name, f"{name} is never {value!r}: it takes {', '.join(map(str, choices))}"


def _held(wanted: Mapping[str, Any]) -> list[Any]:
    inner = wanted.get("contains", {})
    return [*inner.get("enum", ()), *([inner["const"]] if "const" in inner else [])]


def _in_process(one: Procedure) -> Iterator[str]:
    path = one.folder / "process.bpmn"
    [process] = etree.fromstring(one.model.xml.encode()).findall(f"{BPMN}process")
    terms = [
        (event, event.findtext(f".//{BPMN}timeDuration", "").strip())
        for event in process.findall(f"{BPMN}boundaryEvent")
        if event.get("cancelActivity") == "false"
    ]
    for event, term in terms:
        days = re.fullmatch(r"[\"']P(\d+)D[\"']", term)
        if days and int(days[1]) != one.manifest.deadline_days:
            yield f"{path}:{event.sourceline}: the term is {days[1]} days, and deadline_days of the manifest {one.manifest.deadline_days}"
    for node in process.iter(f"{BPMN}serviceTask"):
        does, _, what = node.get(f"{ASTY}does", "").partition(":")
        if does == "notify" and what not in TEXTS:
            yield f"{path}:{node.sourceline}: there is no notice {what}; known are {', '.join(sorted(TEXTS))}"
    for node in process.iter(f"{BPMN}userTask", f"{BPMN}serviceTask"):
        if not node.get(f"{ASTY}en"):
            yield f"{path}:{node.sourceline}: {node.get('name')} has no asty:en: citizens read it in English too"
    asks = {what for step in one.model.steps.values() for what in step.asks}
    if any(step.does == "charge" for step in one.model.steps.values()) and "payment" not in asks:
        yield f'{path}:{process.sourceline}: a fee is charged and no step waits for it: give the citizen one with asty:asks="payment"'


def _in_documents(one: Procedure) -> Iterator[str]:
    asked = {question.ask for question in one.form.questions()}
    register = REGISTERS.get(one.manifest.register or "")
    columns = {column.key for column in register.columns} if register else set()
    given = {"answers": asked, "record": columns, "service": {"lifts", "kg"}, "place": {"station", "points", "rank", "monthly"}}
    written = {(step.does or "").partition(":")[2] for step in one.model.steps.values() if (step.does or "").startswith("compose:")}
    environment = Environment(autoescape=True)
    environment.filters |= dict.fromkeys(FILTERS, str)
    for name in sorted(one.templates):
        path = one.folder / "documents" / f"{name}.html"
        if name not in written:
            yield f"{path}:1: no step of the process writes it"
        try:
            tree = environment.parse(path.read_text(encoding="utf-8"))
            undeclared = meta.find_undeclared_variables(tree)
        except TemplateSyntaxError as error:
            yield f"{path}:{error.lineno}: {error.message}"
            continue
        imported = {it if isinstance(it, str) else it[1] for node in tree.find_all(nodes.FromImport) for it in node.names}
        for unknown in sorted(undeclared - FACTS - imported):
            line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == unknown), 1)
            yield f"{path}:{line}: {unknown} is not given to documents; given are {', '.join(sorted(FACTS))}"
        for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
            owner, key = _read(node)
            if owner == "record" and register is None:
                yield f"{path}:{node.lineno}: record.{key}: the manifest names no register"
            elif owner in given and key not in given[owner]:
                yield f"{path}:{node.lineno}: {owner}.{key} is not there; there are {', '.join(sorted(given[owner]))}"


def _read(node: nodes.Node) -> tuple[str, str]:
    """Return whose what is read: ('answers', 'street') of `answers.street`."""
    match node:
        case nodes.Getattr(node=nodes.Name(name=str(owner)), attr=str(key)):
            return owner, key
        case nodes.Getitem(node=nodes.Name(name=str(owner)), arg=nodes.Const(value=str(key))):
            return owner, key
    return "", ""


def _untranslated(words: Words | None) -> Iterator[str]:
    if words is None:
        return
    for lang, text in (("el", words.el), ("en", words.en)):
        if not text.strip():
            yield f"the text in {lang} is missing"
    if len(_GREEK.findall(words.en)) > len(_LATIN.findall(words.en)):
        yield "the English text is Greek"
