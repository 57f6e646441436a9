"""All procedures of a folder, each checked as a whole."""

import hashlib
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from asty_process.environment import OperatorError
from msgspec import Struct

from asty_citizen_services.bpmn import model as models
from asty_citizen_services.bpmn.model import CITIZEN, Model, ModelError
from asty_citizen_services.forms import form as forms
from asty_citizen_services.forms.form import Form, FormError
from asty_citizen_services.procedures import manifest as manifests
from asty_citizen_services.procedures.manifest import Manifest, ManifestError

OWN = Path(__file__).parent / "folders"
SERVICES = frozenset({"compose", "deliver", "forward", "notify", "charge"})
"""What a service task's `asty:does` may name; what comes after a colon is its object, such as a document's template."""
SYSTEM = "Ψηφιακή υπηρεσία"
"""The lane of what the system does by itself."""
COSIGNER = "Συνυπογράφων"
"""The lane of the second person who signs."""


class ProcedureError(OperatorError):
    """A folder is wrong: a line for each fault, with file, line and what was expected."""


class Procedure(Struct, frozen=True):
    """One folder, read and checked. `templates` are the names of its documents' templates; `version` is the hash of all its files."""

    slug: str
    folder: Path
    manifest: Manifest
    form: Form
    model: Model
    templates: frozenset[str]
    version: str


type Catalogue = Mapping[str, Procedure]


def load_all(folder: Path = OWN, beside: Path | None = None) -> Catalogue:
    """Read every procedure, by slug in the order of their numbers; one in `beside` takes the place of one of its name.

    Raises ProcedureError with all that is wrong, OSError.
    """
    found: list[Procedure] = []
    wrong: list[str] = []
    for one in folders(folder, beside):
        try:
            found.append(load(one))
        except ProcedureError as error:
            wrong.append(str(error))
    if wrong:
        raise ProcedureError("\n".join(wrong))
    return {procedure.slug: procedure for procedure in sorted(found, key=lambda one: _in_order(one.manifest.number))}


def folders(folder: Path = OWN, beside: Path | None = None) -> tuple[Path, ...]:
    """Return the folders of all procedures, by name; those of a municipality's own come before ours. Raises ProcedureError, OSError."""
    if beside is not None and not beside.is_dir():
        raise ProcedureError(f"{beside}: there is no such folder of procedures: make it, or take ASTY_CITIZEN_PROCEDURES away")
    found = {
        path.name: path
        for source in (folder, beside)
        if source is not None
        for path in source.iterdir()
        if path.is_dir() and not path.name.startswith(("_", "."))
    }
    return tuple(found[name] for name in sorted(found))


def load(folder: Path) -> Procedure:
    """Read one folder. Raises ProcedureError, OSError."""
    try:
        manifest = manifests.load(folder / "manifest.toml")
        form = forms.load(folder / "form.json")
        model = models.load(folder / "process.bpmn", SERVICES)
    except (ManifestError, FormError, ModelError) as error:
        raise ProcedureError(str(error)) from error
    except FileNotFoundError as error:
        raise ProcedureError(f"{folder}: there is no {Path(error.filename).name}") from error
    documents = folder / "documents"
    procedure = Procedure(
        folder.name, folder, manifest, form, model, frozenset(path.stem for path in documents.glob("*.html")), _version(folder)
    )
    if wrong := list(_wrongs(procedure)):
        raise ProcedureError("\n".join(wrong))
    return procedure


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _in_order(number: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in number.split("."))


def _wrongs(one: Procedure) -> Iterator[str]:
    """Tell where the files of one folder do not fit together."""
    where = one.folder / "manifest.toml"
    text = where.read_text(encoding="utf-8")
    for lane in one.model.lanes:
        if lane not in (*one.manifest.seats, CITIZEN, SYSTEM, COSIGNER):
            yield f"{where}:{manifests.line_of(text, ['seats'])}: nobody sits in the lane {lane} of the process"
    for lane in one.manifest.seats:
        if lane not in one.model.lanes:
            yield f"{where}:{manifests.line_of(text, ['seats', lane])}: the process has no lane {lane}"
    asked = {question.ask for question in one.form.questions()}
    yield from _wrong_fee(one, where, text, asked)
    for paper in one.manifest.papers:
        if paper.question is not None and paper.question not in asked:
            yield f"{where}:{manifests.line_of(text, ['papers', 'question'])}: the form does not ask for {paper.question}"
    if (second := one.manifest.cosignature) is not None:
        for name in (second.afm, second.mobile):
            if name not in asked:
                yield f"{where}:{manifests.line_of(text, ['cosignature'])}: the form does not ask for {name}"
    for step in one.model.steps.values():
        does, _, document = (step.does or "").partition(":")
        if does == "compose" and document not in one.templates:
            yield f"{one.folder / 'process.bpmn'}: {step.name} writes {document}, and documents/{document}.html is not there"


def _wrong_fee(one: Procedure, where: Path, text: str, asked: Set[str]) -> Iterator[str]:
    if one.manifest.has_fee and not any(step.does == "charge" for step in one.model.steps.values()):
        key = "fee_cents" if one.manifest.fee_cents else "fee"
        yield f"{where}:{manifests.line_of(text, [key])}: the process has no step that charges the fee"
    for n, rule in enumerate(one.manifest.fee, start=1):
        for name in (*(rule.when or {}).get("properties", {}), *([rule.each] if rule.each else [])):
            if name not in asked:
                yield f"{where}:{manifests.line_of(text, ['fee'])}: rule {n} of the fee reads {name}, which the form does not ask for"
