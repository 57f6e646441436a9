"""What a program is told when something is not done: problem details (RFC 9457), in the language it asks for."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

PREFIX = "/api/v1/"
MEDIA_TYPE = "application/problem+json"
OF_STATUS = {422: "unreadable", 404: "unknown", 405: "not-so", 413: "too-large", 429: "too-often", 500: "broken", 503: "away"}
"""The kinds of what any room may answer with."""


class Wrong(BaseModel):
    """One thing that is wrong: a question of the form, or a parameter, and what to do."""

    field: str
    detail: str


class Problem(BaseModel):
    """Problem details. `type` names the kind and stays the same in both languages; `detail` says what was kept and what to do next."""

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str
    errors: list[Wrong] = []


class ProblemError(Exception):
    """Something that is not done, in Greek and English."""

    def __init__(self, kind: str, *, wrong: Sequence[Wrong] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind)
        self.kind, self.wrong, self.headers = kind, wrong, dict(headers or {})


KINDS: Mapping[str, tuple[int, tuple[str, str], tuple[str, str]]] = {
    "no-key": (
        401,
        ("Χρειάζεται κλειδί.", "A key is needed."),
        (
            "Δεν άλλαξε τίποτα. Ο πολίτης δίνει κλειδί στη σελίδα «Κλειδιά για προγράμματα»· στείλτε το ως Bearer.",
            "Nothing was changed. The citizen gives a key on the page “Keys for programs”; send it as Bearer.",
        ),
    ),
    "reads-only": (
        403,
        ("Το κλειδί μόνο διαβάζει.", "The key only reads."),
        (
            "Δεν άλλαξε τίποτα. Ζητήστε από τον πολίτη κλειδί που υποβάλλει.",
            "Nothing was changed. Ask the citizen for a key that may file.",
        ),
    ),
    "unknown": (
        404,
        ("Δεν υπάρχει τέτοιο πράγμα εδώ.", "There is no such thing here."),
        ("Ελέγξτε τη διεύθυνση, τον αριθμό ή τον κωδικό.", "Check the address, the number or the code."),
    ),
    "key-reused": (
        409,
        ("Με αυτό το Idempotency-Key υποβλήθηκε άλλο περιεχόμενο.", "Something else was filed with this Idempotency-Key."),
        (
            "Δεν υποβλήθηκε τίποτα τώρα. Χρησιμοποιήστε νέο κλειδί για νέα αίτηση.",
            "Nothing was filed now. Use a new key for a new application.",
        ),
    ),
    "changed-meanwhile": (
        412,
        ("Το πρόχειρο άλλαξε στο μεταξύ.", "The draft has changed meanwhile."),
        (
            "Δεν άλλαξε τίποτα. Διαβάστε το ξανά και στείλτε το με το νέο ETag.",
            "Nothing was changed. Read it again and send it with the new ETag.",
        ),
    ),
    "too-large": (
        413,
        ("Αυτό που στείλατε είναι πολύ μεγάλο.", "What you sent is too large."),
        (
            "Δεν κρατήθηκε τίποτα. Οι απαντήσεις έχουν έως 200 kB, ένα αρχείο έως 20 MB.",
            "Nothing was kept. Answers have 200 kB at most, a file 20 MB.",
        ),
    ),
    "not-taken": (
        422,
        ("Το αρχείο δεν έγινε δεκτό.", "The file is not taken."),
        ("Δεν κρατήθηκε τίποτα από το αρχείο· οι απαντήσεις μένουν.", "Nothing of the file was kept; the answers stay."),
    ),
    "not-right": (
        422,
        ("Κάτι λείπει ή δεν είναι σωστό.", "Something lacks or is not right."),
        (
            "Δεν υποβλήθηκε τίποτα. Διορθώστε όσα αναφέρονται και στείλτε ξανά.",
            "Nothing was filed. Put right what is named and send again.",
        ),
    ),
    "unreadable": (
        422,
        ("Κάτι στο αίτημα δεν διαβάζεται.", "Something in the request can't be read."),
        ("Δεν άλλαξε τίποτα. Διορθώστε τις παραμέτρους που αναφέρονται.", "Nothing was changed. Put the named parameters right."),
    ),
    "no-pdf": (
        422,
        ("Το αρχείο δεν είναι PDF που διαβάζεται.", "The file is no PDF that can be read."),
        ("Στείλτε το PDF όπως εκδόθηκε, έως 20 MB.", "Send the PDF as it was issued, 20 MB at most."),
    ),
    "scanner-away": (
        503,
        ("Τα αρχεία δεν μπορούν να ελεγχθούν τώρα.", "Files can't be checked right now."),
        ("Οι απαντήσεις μένουν. Δοκιμάστε ξανά σε λίγα λεπτά.", "The answers stay. Try again in a few minutes."),
    ),
}


def language(request: Request) -> Literal["el", "en"]:
    """Return the language of `?lang=`, else the first of ours in Accept-Language, else Greek."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    first = next((part.strip()[:2].lower() for part in asked.split(",") if part.strip()[:2].lower() in ("el", "en")), "el")
    return "en" if first == "en" else "el"


def answer(
    request: Request, status: int, kind: str, title: str, detail: str, wrong: Sequence[Wrong] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return problem details."""
    problem = Problem(
        type=f"{PREFIX}problems#{kind}", title=title, status=status, detail=detail, instance=request.url.path, errors=list(wrong)
    )
    sent = {"Content-Language": language(request), "Cache-Control": "no-store", **(headers or {})}
    return JSONResponse(problem.model_dump(), status, sent, media_type=MEDIA_TYPE)


async def told(request: Request, error: Exception) -> Response:
    """Answer a ProblemError."""
    assert isinstance(error, ProblemError)
    status, titles, details = KINDS[error.kind]
    n = 1 if language(request) == "en" else 0
    headers = error.headers | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    return answer(request, status, error.kind, titles[n], details[n], error.wrong, headers)


def unreadable(request: Request, error: RequestValidationError) -> Response:
    """Answer a request whose parameters or body can't be read."""
    n = 1 if language(request) == "en" else 0
    wrong = [Wrong(field=".".join(str(part) for part in one["loc"]), detail=str(one["msg"])) for one in error.errors()]
    status, titles, details = KINDS["unreadable"]
    return answer(request, status, "unreadable", titles[n], details[n], wrong)


def may(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the problems that an operation may answer with, besides those of every operation."""
    found: dict[int | str, dict[str, Any]] = {}
    for status, about in (
        *((KINDS[kind][0], KINDS[kind][1][1]) for kind in kinds),
        (422, "Something in the request can't be read."), (429, "Too many requests: Retry-After says when again."),
        (503, "The database does not answer: Retry-After says when again."),
    ):  # fmt: skip
        text = f"{found[status]['description']} {about}" if status in found and about not in found[status]["description"] else about
        found[status] = {"description": text, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    return found
