"""What anybody may ask: the catalogue, how a case stands by number and code, whether a document is good, open data."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from asn1crypto import x509
from fastapi import APIRouter, Depends, File, Path, Query, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import select

from asty_citizen_services.database import Database
from asty_citizen_services.documents.check import MOST_BYTES, judge
from asty_citizen_services.documents.compose import read_code
from asty_citizen_services.documents.models import Document
from asty_citizen_services.documents.verify import NoPdfError, Signature, signatures
from asty_citizen_services.forms.form import Words
from asty_citizen_services.interface import statistics
from asty_citizen_services.interface.shapes import (
    FormShape,
    Law,
    Month,
    Paper,
    Procedure,
    ProcedureEntry,
    ProcedureList,
    Signed,
    Standing,
    Statistics,
    Text,
    Verdict,
)
from asty_citizen_services.interface.tagging import TAGGED, IfNoneMatch, Limit, Offset, following, kept
from asty_citizen_services.problems import PREFIX, ProblemError, may
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.procedures.catalogue import Procedure as Folder
from asty_citizen_services.procedures.search import has_words
from asty_citizen_services.rates import Limit as Rate
from asty_citizen_services.registry import tracking
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.screens import Screens
from asty_citizen_services.workflow.route import STATES

DAY, HOUR = 86_400, 3600
REFERENCE = re.compile(r"([1-9][0-9]{0,8})/([0-9]{4})", re.ASCII)
Year = Annotated[int, Query(ge=2000, le=2100, description="of filing")]
CSV: Mapping[str, Any] = {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "RFC 4180, UTF-8"}


@dataclass(frozen=True)
class Public:
    """What the addresses need. `secret` keys the codes of receipts."""

    database: Database
    screens: Screens
    catalogue: Catalogue
    authorities: Sequence[x509.Certificate]
    zone: ZoneInfo
    secret: str
    tries: Rate = field(default_factory=lambda: Rate(20, HOUR))
    """How often the code of one number may be tried."""

    def routes(self) -> APIRouter:
        """Return the router: 300 calls a minute for an address, 30 where something could be guessed or costs time."""
        router = APIRouter(prefix=PREFIX.rstrip("/"), dependencies=[Depends(Rate(300, 60))], tags=["public"])
        guessing = [Depends(Rate(30, 60))]
        router.add_api_route(
            "/procedures", self.procedures, summary="The catalogue, in the order of its numbers", response_model=ProcedureList,
            responses={**TAGGED, **may()},
        )  # fmt: skip
        router.add_api_route(
            "/procedures/{slug}", self.procedure, summary="A procedure: form, documents to bring, law, deadline, fee",
            response_model=Procedure, responses={**TAGGED, **may("unknown")},
        )  # fmt: skip
        router.add_api_route(
            "/cases/standing", self.standing, summary="How a case stands, by its protocol number and the code of its receipt",
            response_model=Standing, responses=may("unknown"), dependencies=guessing,
        )  # fmt: skip
        router.add_api_route(
            "/documents/check", self.check_file, methods=["POST"],
            summary="Whether a PDF is ours and unchanged, and what its signatures are worth",
            response_model=Verdict, responses=may("no-pdf", "too-large"), dependencies=guessing,
        )  # fmt: skip
        router.add_api_route(
            "/documents/{code}", self.check_code, summary="Whether there is a document with this code", response_model=Verdict,
            responses=may("unknown"), dependencies=guessing,
        )  # fmt: skip
        router.add_api_route(
            "/statistics", self.figures, summary="Open data: procedures by month", response_model=Statistics,
            responses={**TAGGED, **may()},
        )  # fmt: skip
        router.add_api_route(
            "/statistics.csv", self.figures_csv, summary="The same as CSV", response_class=Response,
            responses={**TAGGED, **may(), 200: dict(CSV)},
        )  # fmt: skip
        return router

    def procedures(
        self, request: Request, q: Annotated[str, Query(max_length=100, description="words of title, summary or keywords")] = "",
        audience: Literal["citizen", "business"] | None = None, limit: Limit = 20, offset: Offset = 0, if_none_match: IfNoneMatch = None,
    ) -> Response:  # fmt: skip
        found = [one for one in self.catalogue.values() if audience in (None, one.manifest.audience) and has_words(one, q)]
        items = [ProcedureEntry(**_entry(one)) for one in found[offset : offset + limit]]
        said = ProcedureList(items=items, total=len(found), next=following(request, limit, offset, len(found)))
        return kept(said, if_none_match, seconds=HOUR)

    def procedure(self, slug: Annotated[str, Path(max_length=100)], if_none_match: IfNoneMatch = None) -> Response:
        if (one := self.catalogue.get(slug)) is None:
            raise ProblemError("unknown")
        it = one.manifest
        form = msgspec.to_builtins(one.form)
        said = Procedure(
            **_entry(one),
            outcome=_text(it.outcome),
            papers=[Paper(name=_text(paper.name), question=paper.question) for paper in it.papers],
            law=[Law(text=law.text, confirmed=law.confirmed) for law in it.law],
            cosignature=it.cosignature is not None,
            form=FormShape(schema=form["schema"], pages=form["pages"]),
        )
        return kept(said, if_none_match, seconds=HOUR)

    def standing(
        self, response: Response,
        number: Annotated[str, Query(max_length=20, description="the protocol number, such as 1234/2026")],
        code: Annotated[str, Query(max_length=40, description="of the receipt, such as 4821 7730")],
    ) -> Standing:  # fmt: skip
        """Answer the same whether the number is unknown or the code is wrong."""
        asked = REFERENCE.fullmatch(number)
        if asked is None:
            raise ProblemError("unknown")
        self.tries.check(number)
        with self.database.begin() as session:
            row = session.execute(
                select(Application, Docket).join(Docket, Docket.application_id == Application.id)
                .where(Docket.number == int(asked[1]), Docket.year == int(asked[2]), Docket.direction == "in")
            ).one_or_none()  # fmt: skip
        if row is None or not tracking.fits(self.secret, row[0].id, code):
            raise ProblemError("unknown")
        application, docket = row
        response.headers["Cache-Control"] = "no-store"
        term = STATES.get(application.state, application.state)
        return Standing(
            reference=docket.reference, state=application.state, state_text=Text(el=self.screens.greek(term), en=term),
            filed_at=application.filed_at, due_at=application.due_at, changed_at=application.changed_at,
        )  # fmt: skip

    def check_code(self, response: Response, code: Annotated[str, Path(max_length=40)]) -> Verdict:
        read = read_code(code)
        found = self._document(Document.code == read) if read else None
        if found is None:
            raise ProblemError("unknown")
        response.headers["Cache-Control"] = "no-store"
        return _verdict("good", found, ())

    def check_file(self, response: Response, file: Annotated[UploadFile, File(description="the PDF, 20 MB at most")]) -> Verdict:
        content = file.file.read(MOST_BYTES + 1)
        try:
            seen = asyncio.run(signatures(content, self.authorities)) if len(content) <= MOST_BYTES else None
        except NoPdfError:
            seen = None
        if seen is None:
            raise ProblemError("no-pdf")
        found = self._document(Document.sha256 == hashlib.sha256(content).digest())
        response.headers["Cache-Control"] = "no-store"
        return _verdict(judge(seen, is_ours=found is not None), found, seen)

    def figures(self, year: Year, if_none_match: IfNoneMatch = None) -> Response:
        items = [Month(**{name: getattr(one, name) for name in Month.model_fields}) for one in self._counted(year)]
        return kept(Statistics(items=items), if_none_match, seconds=HOUR)

    def figures_csv(self, year: Year, if_none_match: IfNoneMatch = None) -> Response:
        text = statistics.as_csv(self._counted(year))
        return kept(text.encode(), if_none_match, seconds=HOUR, media_type="text/csv; charset=utf-8")

    def _counted(self, year: int) -> list[statistics.Counted]:
        with self.database.begin() as session:
            return statistics.by_month(session, year, self.zone.key)

    def _document(self, which: Any) -> tuple[Document, Docket] | None:
        with self.database.begin() as session:
            row = session.execute(
                select(Document, Docket).join(Docket, Docket.id == Document.docket_id).where(which, Document.state == "delivered")
            ).one_or_none()
        return (row[0], row[1]) if row else None


def _verdict(verdict: str, found: tuple[Document, Docket] | None, seen: Sequence[Signature]) -> Verdict:
    paper, docket = found or (None, None)
    return Verdict.model_validate(
        {
            "verdict": verdict,
            "title": paper.title if paper else None,
            "reference": docket.reference if docket else None,
            "issued_on": docket.at.astimezone(UTC) if docket else None,
            "sha256": paper.sha256.hex() if paper else None,
            "signatures": [
                Signed(name=one.name, certificate=one.certificate, at=_utc(one.at), whole=one.whole, trusted=one.trusted) for one in seen
            ],
        }
    )


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None


def _entry(one: Folder) -> dict[str, Any]:
    it = one.manifest
    return {
        "slug": one.slug, "number": it.number, "title": _text(it.title), "summary": _text(it.summary), "category": _text(it.category),
        "audience": it.audience, "department": it.department, "deadline_days": it.deadline_days, "fee_cents": it.fee_cents,
        "version": one.version,
    }  # fmt: skip


def _text(words: Words) -> Text:
    return Text(el=words.el, en=words.en)
