"""The public check of a document, by its code or by its file. It shows nothing that the paper does not say, and keeps nothing."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from asn1crypto import x509
from fastapi import APIRouter, Depends, File, Query, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.database import Database
from asty_citizen_services.documents.compose import grouped, read_code
from asty_citizen_services.documents.models import Document
from asty_citizen_services.documents.verify import NoPdfError, Signature, signatures
from asty_citizen_services.identity.door import anybody
from asty_citizen_services.rates import Limit
from asty_citizen_services.registry.models import Docket
from asty_citizen_services.screens import Screens

MOST_BYTES = 20_000_000
_NO_CODE = "This is no code: it has 16 letters and digits."
_NO_PDF = "The file is no PDF that can be read."
_TOO_BIG = "The file is larger than 20 MB: it is no document of ours."


@dataclass(frozen=True)
class Check:
    """What the pages need. `authorities` vouch for the municipality's signers."""

    database: Database
    screens: Screens
    authorities: Sequence[x509.Certificate] = ()
    limit: Limit = field(default_factory=lambda: Limit(30, 60))

    def routes(self) -> APIRouter:
        """Return the router of /check: an address may try 30 codes and files a minute; the empty page costs nothing."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        limited = [Depends(self.limit)]
        router.add_api_route("/check", self.ask)
        router.add_api_route("/check/{code}", self.by_code, dependencies=limited)
        router.add_api_route("/check", self.by_file, methods=["POST"], dependencies=limited)
        return router

    def ask(self, request: Request, code: Annotated[str, Query(max_length=100)] = "") -> Response:
        if not code:
            return self._page(request)
        self.limit(request)
        return self.by_code(request, code)

    def by_code(self, request: Request, code: str) -> Response:
        read = read_code(code)
        if read is None:
            return self._page(request, typed=code, wrong=_NO_CODE, status=422)
        with self.database.begin() as session:
            found = _by(session, Document.code == read)
        if found is None:
            return self._page(request, typed=code, verdict="unknown", status=404)
        return self._page(request, typed=code, paper=found, verdict="good")

    def by_file(self, request: Request, file: Annotated[UploadFile | None, File()] = None) -> Response:
        content = file.file.read(MOST_BYTES + 1) if file is not None else b""
        if len(content) > MOST_BYTES:
            return self._page(request, wrong=_TOO_BIG, status=422)
        try:
            seen = asyncio.run(signatures(content, self.authorities))
        except NoPdfError:
            return self._page(request, wrong=_NO_PDF, status=422)
        with self.database.begin() as session:
            found = _by(session, Document.sha256 == hashlib.sha256(content).digest())
        return self._page(request, paper=found, verdict=judge(seen, is_ours=found is not None), seen=seen)

    def _page(
        self, request: Request, *, typed: str = "", wrong: str = "", verdict: str = "", paper: tuple[Document, Docket] | None = None,
        seen: Sequence[Signature] = (), status: int = 200,
    ) -> Response:  # fmt: skip
        context: dict[str, Any] = {
            "typed": typed, "wrong": wrong, "verdict": verdict, "paper": paper[0] if paper else None, "docket": paper[1] if paper else None,
            "code": grouped(paper[0].code) if paper else "", "signatures": seen,
        }  # fmt: skip
        return self.screens.render(request, "documents/check.html", context, status=status)


def judge(seen: Sequence[Signature], *, is_ours: bool) -> str:
    """Say what a file is worth: good, changed, unsigned, foreign."""
    if is_ours:
        return "good"
    if not seen:
        return "unsigned"
    return "foreign" if all(one.whole and one.covers_all for one in seen) else "changed"


def _by(session: Session, which: Any) -> tuple[Document, Docket] | None:
    """Read a document that has left the house."""
    row = session.execute(
        select(Document, Docket).join(Docket, Docket.id == Document.docket_id).where(which, Document.state == "delivered")
    ).one_or_none()
    return row or None
