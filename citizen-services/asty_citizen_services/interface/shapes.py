"""What the interface says, as OpenAPI describes it. Times are UTC; texts are in both languages."""

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from asty_citizen_services.problems import Wrong


class Text(BaseModel):
    el: str
    en: str


class ProcedureEntry(BaseModel):
    """A procedure as the catalogue lists it. `version` changes with any file of it."""

    slug: str
    number: str
    title: Text
    summary: Text
    category: Text
    audience: Literal["citizen", "business"]
    department: str
    deadline_days: int
    fee_cents: int
    version: str


class Paper(BaseModel):
    """A document to bring; `question` of the form takes it."""

    name: Text
    question: str | None


class Law(BaseModel):
    text: str
    confirmed: bool = Field(description="whether the municipality's lawyer has confirmed it")


class FormShape(BaseModel):
    """The form: a JSON Schema of its answers, and the pages that ask for them, each with conditions over earlier answers (`when`)."""

    model_config = ConfigDict(serialize_by_alias=True)

    of: dict[str, Any] = Field(alias="schema")
    pages: list[dict[str, Any]]


class Procedure(ProcedureEntry):
    outcome: Text
    papers: list[Paper]
    law: list[Law]
    cosignature: bool
    form: FormShape


class ProcedureList(BaseModel):
    items: list[ProcedureEntry]
    total: int
    next: str | None = Field(description="address of the next page")


class Standing(BaseModel):
    """How a case stands, for whoever knows its number and code: nothing of whom it is about."""

    reference: str
    state: str
    state_text: Text
    filed_at: datetime
    due_at: datetime | None
    changed_at: datetime


class CaseEntry(BaseModel):
    """`code`, beside the reference, lets anybody ask how the case stands."""

    id: uuid.UUID
    reference: str
    procedure: str
    subject: str
    state: str
    filed_at: datetime
    due_at: datetime | None
    code: str


class CaseList(BaseModel):
    items: list[CaseEntry]
    total: int
    next: str | None


class Step(BaseModel):
    name: str
    lane: str
    where: Literal["passed", "now"]


class Issued(BaseModel):
    """A document of the case: `code` is checked at /api/v1/documents/{code}."""

    id: uuid.UUID
    title: str
    reference: str
    code: str
    sha256: str


class Case(CaseEntry):
    waits_for: str | None = Field(description="what the citizen has to do: amend, object, or nothing")
    way: list[Step]
    documents: list[Issued]


class Receipt(BaseModel):
    """What the law wants on a receipt; `at` is local with its zone, `content` the SHA-256 of what was filed."""

    case: uuid.UUID
    reference: str
    issuer: str
    subject: str
    department: str
    at: datetime
    content: str
    code: str


class Begun(BaseModel):
    procedure: str = Field(max_length=100)
    answers: dict[str, Any] = {}


class Answers(BaseModel):
    answers: dict[str, Any]


class Draft(BaseModel):
    """`lacks` is what has to be put right before it can be filed; `files` are names by the ids that stand in the answers."""

    id: uuid.UUID
    procedure: str
    answers: dict[str, Any]
    files: dict[str, str]
    changed_at: datetime
    lacks: list[Wrong]


class DraftList(BaseModel):
    items: list[Draft]


class Kept(BaseModel):
    id: uuid.UUID
    name: str
    media_type: str
    sha256: str


class Signed(BaseModel):
    """A signature: `whole` when what it covers is unchanged, `trusted` when an authority that we know vouches for it."""

    name: str
    certificate: str
    at: datetime | None
    whole: bool
    trusted: bool


class Verdict(BaseModel):
    """`verdict`: good (ours, unchanged), changed, unsigned, foreign. What it says is on the paper itself."""

    verdict: Literal["good", "changed", "unsigned", "foreign"]
    title: str | None
    reference: str | None
    issued_on: datetime | None
    sha256: str | None
    signatures: list[Signed]


class Month(BaseModel):
    """A procedure in a month. Counts below 5 are not told (null), and parts only where none of them is 1 to 4."""

    procedure: str
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    filed: int | None
    granted: int | None
    rejected: int | None
    running: int | None
    median_days: float | None


class Statistics(BaseModel):
    licence: str = "CC-BY-4.0"
    items: list[Month]
