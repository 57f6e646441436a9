"""A new procedure's folder, whole from the first minute: it passes the check and can be filed, and is then made one's own."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Literal
from xml.sax.saxutils import escape

from asty_process.environment import OperatorError
from msgspec import Struct

from asty_citizen_services.procedures.catalogue import OWN

BLANK = Path(__file__).parent / "blank"
SLUG = re.compile(r"[a-z][a-z0-9-]{1,60}")


class MakingError(OperatorError):
    """The folder can't be made: says why. Nothing was written."""


class Wish(Struct, frozen=True):
    """What a new procedure is to be. `office` names the lane of who examines, `signs` who signs; `cents` is its fee, 0 for none."""

    slug: str
    title: str
    title_en: str
    department: str
    office: str
    number: str
    days: int = 50
    cents: int = 0
    signs: Literal["officer", "head"] = "head"


def make(wish: Wish, into: Path) -> Path:
    """Write the folder `into`/slug and return it. Raises MakingError, OSError."""
    if not SLUG.fullmatch(wish.slug):
        raise MakingError(f"{wish.slug!r} can't be an address: expected a-z, 0-9 and hyphens, such as adeia-topothetisis-kadou")
    folder = into / wish.slug
    if folder.exists() or (OWN / wish.slug).exists():
        raise MakingError(f"there is a procedure {wish.slug} already: choose another name")
    texts = {path.relative_to(BLANK): path.read_text(encoding="utf-8") for path in sorted(BLANK.rglob("*")) if path.is_file()}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(_values(wish, path.suffix)) if name.name != "form.json" else text, encoding="utf-8")
    return folder


def remove(folder: Path) -> None:
    """Take a folder away that was just made and turned out wrong."""
    shutil.rmtree(folder)


def _values(wish: Wish, kind: str) -> Mapping[str, str]:
    said = {
        "title": wish.title, "title_en": wish.title_en, "office": wish.office, "department": wish.department, "number": wish.number,
        "role": wish.signs, "summary": f"Αίτηση: {wish.title}.", "summary_en": f"Application: {wish.title_en}.",
    }  # fmt: skip
    plain = {"days": str(wish.days), "cents": str(wish.cents), "process": wish.slug.replace("-", "_")}
    match kind:
        case ".toml":
            return {name: json.dumps(text, ensure_ascii=False) for name, text in said.items()} | plain
        case ".bpmn":
            return {name: escape(text, {'"': "&quot;"}) for name, text in said.items()} | plain
    return {name: escape(text).replace("{", "&#123;") for name, text in said.items()} | plain
