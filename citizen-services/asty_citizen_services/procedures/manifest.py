"""The manifest of a procedure: what it is called, who does it, on what law it stands, what it needs and how long it may take."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from jsonschema import Draft202012Validator
from msgspec import Struct

from asty_citizen_services.forms.form import Schema, Words

type Audience = Literal["citizen", "business"]


class ManifestError(Exception):
    """The manifest is wrong: says the file, the line and what was expected."""


class Law(Struct, frozen=True, forbid_unknown_fields=True):
    """One provision that the procedure stands on. `confirmed` is false until the municipality's lawyer has looked at it."""

    text: str
    confirmed: bool = False


class Paper(Struct, frozen=True, forbid_unknown_fields=True):
    """One document that the citizen brings, in words; `question` names the form's question that takes it, if one does."""

    name: Words
    question: str | None = None


class Seat(Struct, frozen=True, forbid_unknown_fields=True):
    """Who sits in a lane of the process: people of a department, with a role when not every officer may."""

    department: str
    role: Literal["officer", "head"] = "officer"


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """Years after which a closed case is erased, by how it ended; a legal hold goes before. None: kept for good."""

    granted: int | None
    rejected: int | None
    abandoned_draft_days: int = 90


class Cosignature(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose second signature the act needs: the questions that hold that person's tax number and mobile, and when it is needed."""

    who: Words
    afm: str
    mobile: str
    when: Schema | None = None


class FeeRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What an application costs: `cents`, where the answers fit `when`, times the number that was answered to `each`, such as copies."""

    cents: int
    why: Words
    when: Schema | None = None
    each: str | None = None

    def amount(self, answers: Mapping[str, Any]) -> int:
        """Return cents; 0 where the number that it counts was not given."""
        if self.each is None:
            return self.cents
        count = answers.get(self.each)
        return round(self.cents * count) if isinstance(count, int | float) and not isinstance(count, bool) and count > 0 else 0


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """One procedure. `seats` maps each lane of the process but the citizen's to who sits there; `register` is what it is issued from.

    A fee is `fee_cents`, or the first of the rules `fee` that fits the answers, or nothing.
    """

    number: str
    title: Words
    summary: Words
    category: Words
    department: str
    audience: Audience
    law: tuple[Law, ...]
    deadline_days: int
    retention: Retention
    seats: dict[str, Seat]
    outcome: Words
    papers: tuple[Paper, ...] = ()
    fee_cents: int = 0
    fee: tuple[FeeRule, ...] = ()
    register: str | None = None
    cosignature: Cosignature | None = None
    keywords: tuple[str, ...] = ()

    @property
    def needs_lawyer(self) -> bool:
        return not all(law.confirmed for law in self.law)

    @property
    def has_fee(self) -> bool:
        return self.fee_cents > 0 or any(rule.cents > 0 for rule in self.fee)

    def fee_for(self, answers: Mapping[str, Any]) -> int:
        """Return what an application with these answers costs, in cents."""
        given = dict(answers)
        for rule in self.fee:
            if rule.when is None or Draft202012Validator(rule.when).is_valid(given):
                return rule.amount(given)
        return self.fee_cents


def load(path: Path) -> Manifest:
    """Read a manifest. Raises ManifestError, OSError."""
    text = path.read_text(encoding="utf-8")
    try:
        manifest = msgspec.convert(tomllib.loads(text), Manifest)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}:{_line_in(str(error))}: no TOML: {error}") from error
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise ManifestError(f"{path}:{line_of(text, re.findall(r'[A-Za-z_]+', where))}: {what}") from error
    if manifest.deadline_days < 1:
        raise ManifestError(f"{path}:{line_of(text, ['deadline_days'])}: a term is a day or more")
    if manifest.fee_cents < 0:
        raise ManifestError(f"{path}:{line_of(text, ['fee_cents'])}: a fee is not less than nothing")
    if manifest.fee_cents and manifest.fee:
        raise ManifestError(f"{path}:{line_of(text, ['fee'])}: a fee is fee_cents or [[fee]] rules, not both")
    return manifest


def line_of(text: str, keys: list[str]) -> int:
    """Return the line, from 1, of the last of these keys that the file has, each looked for below the one before."""
    lines, at = text.splitlines(), 0
    for key in keys:
        found = next(
            (n for n in range(at, len(lines)) if re.match(rf"\s*(\[+\s*)?([\w.\"]+\.)?\"?{re.escape(key)}\"?\s*(=|\]|\.)", lines[n])), None
        )
        if found is None:
            break
        at = found
    return at + 1


def _line_in(message: str) -> int:
    found = re.search(r"line (\d+)", message)
    return int(found[1]) if found else 1
