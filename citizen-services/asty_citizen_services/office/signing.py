"""The signing step, and the page where an employee keeps his or her ways of signing."""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from asn1crypto import x509
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from asty_citizen_services.bpmn.case import NotWaitingError, WrongOutcomeError
from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.models import Document, SigningProfile
from asty_citizen_services.documents.papers import ChangedMeanwhileError, Papers
from asty_citizen_services.documents.signing import Mark, NotSignedError, from_pkcs12_data
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity.door import anybody
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.office.pages import HELD, MOVED, NOT_YOURS, AnOfficer, Office
from asty_citizen_services.rates import Limit
from asty_citizen_services.workflow.desk import ClaimedError
from asty_citizen_services.workflow.models import CaseTask

MOST_PDF = 20_000_000
WRONG = {
    "pkcs12": "The key file did not open or did not sign. Check its passphrase.",
    "csc": "The signing service did not sign. Check the PIN, or try again later.",
    "pkcs11": "The card did not sign. Check that it is in the reader, and its PIN.",
    "upload": "The file that you handed in is not this document with a good signature added.",
}
INCOMPLETE = "Choose a way of signing, and fill in all that it needs."
log = logging.getLogger(__name__)
Field = Annotated[str, Form(max_length=500)]
AnId = Annotated[uuid.UUID, Form()]
AFile = Annotated[UploadFile | None, File()]


@dataclass(frozen=True)
class Signing:
    """What the pages need. `authorities` are whom signatures made elsewhere are trusted from, `timestamps` the authority of times."""

    office: Office
    papers: Papers
    authorities: Sequence[x509.Certificate] = ()
    timestamps: str | None = None

    def routes(self) -> APIRouter:
        """Return the router of signing."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/office/cases/{case}/sign", self.sign, methods=["POST"], dependencies=[Depends(Limit(30, 60))])
        router.add_api_route("/office/signing", self.mine)
        router.add_api_route("/office/signing", self.add, methods=["POST"], dependencies=[Depends(Limit(30, 60))])
        router.add_api_route("/office/signing/{profile}/end", self.end, methods=["POST"])
        return router

    def sign(
        self, request: Request, case: uuid.UUID, officer: AnOfficer, token: AnId, paper: AnId, sha256: Field, profile: AnId,
        secret: Field = "", signed: AFile = None,
    ) -> Response:  # fmt: skip
        """Sign the document that the officer has seen, and end the step with it."""
        before = bytes.fromhex(sha256) if _is_hex(sha256) else b""
        way = self._profile(officer, profile, case, token)
        mark = Mark(way.name, way.office, "Έκδοση εγγράφου")
        try:
            content = self._handed_in(paper, before, signed) if way.kind == "upload" else self._by_key(way, secret, paper, before, mark)
            now = self.office.clock()
            with self.office.database.begin() as session:
                self.papers.keep_signed(session, paper, before, content, staff=officer.id, mark=mark, way=way.kind, now=now)
                self.office.end(session, case, officer, token, "signed", {"signature": sha256})
        except NotSignedError as error:
            log.warning("event=not_signed way=%s why=%r", way.kind, str(error))
            return self.office.show(request, case, officer, WRONG[way.kind], 422, {"profile": str(profile)})
        except ChangedMeanwhileError:
            return self.office.show(request, case, officer, "The document has changed: look at it again before you sign.", 409)
        except ClaimedError as error:
            raise RefusedError(409, *HELD) from error
        except (NotWaitingError, WrongOutcomeError) as error:
            raise RefusedError(409, *MOVED) from error
        return RedirectResponse(f"/office/cases/{case}", 303)

    def mine(self, request: Request, officer: AnOfficer) -> Response:
        return self._page(request, officer)

    async def add(
        self, request: Request, officer: AnOfficer, kind: Field, title: Field = "", file: AFile = None, secret: Field = ""
    ) -> Response:
        """Keep a way of signing; a key file is opened once, to see that its passphrase is right."""
        form = await request.form()
        key = await file.read(profiles.MOST_BYTES + 1) if file is not None and file.filename else None
        if kind not in profiles.KINDS or (kind == "pkcs12" and not (key and len(key) <= profiles.MOST_BYTES)):
            return self._page(request, officer, INCOMPLETE, 422)
        try:
            if kind == "pkcs12":
                from_pkcs12_data(key or b"", secret)
        except NotSignedError:
            return self._page(request, officer, WRONG["pkcs12"], 422)
        try:
            config = profiles.config_of(kind, form)
        except NotSignedError:
            return self._page(request, officer, INCOMPLETE, 422)
        mark = Mark(officer.name, title.strip(), "")
        with self.office.database.begin() as session:
            profiles.add(
                session, officer.id, kind, mark, config, key if kind == "pkcs12" else None, by=officer.actor, now=self.office.clock()
            )
        return RedirectResponse("/office/signing", 303)

    def end(self, profile: uuid.UUID, officer: AnOfficer) -> Response:
        with self.office.database.begin() as session:
            profiles.end(session, profile, officer.id, by=officer.actor, now=self.office.clock())
        return RedirectResponse("/office/signing", 303)

    def _page(self, request: Request, officer: StaffVisitor, wrong: str = "", status: int = 200) -> Response:
        with self.office.database.begin() as session:
            mine = profiles.of(session, officer.id)
        return self.office.screens.render(
            request, "office/signing.html", {"mine": mine, "kinds": profiles.KINDS, "wrong": wrong}, status=status
        )

    def _profile(self, officer: StaffVisitor, profile: uuid.UUID, case: uuid.UUID, token: uuid.UUID) -> SigningProfile:
        """Return the officer's own way of signing, once it is sure that the step is his or hers. Raises RefusedError."""
        with self.office.database.begin() as session:
            found = self.office.read(session, case, officer)
            if token not in {work.task.token for work in found.work}:
                raise RefusedError(409, *MOVED)
            task = session.get_one(CaseTask, token)
            if task.claimed_by is not None and task.claimed_by != officer.id:
                raise RefusedError(409, *HELD)
            way = session.scalars(
                select(SigningProfile).where(
                    SigningProfile.id == profile, SigningProfile.staff_id == officer.id, SigningProfile.ended_at.is_(None)
                )
            ).one_or_none()
            if way is None:
                raise RefusedError(403, *NOT_YOURS)
            return way

    def _by_key(self, way: SigningProfile, secret: str, paper: uuid.UUID, before: bytes, mark: Mark) -> bytes:
        return self.papers.sign(paper, before, profiles.opened(way, secret, self.timestamps), mark)

    def _handed_in(self, paper: uuid.UUID, before: bytes, signed: UploadFile | None) -> bytes:
        content = signed.file.read(MOST_PDF) if signed is not None else b""
        with self.office.database.begin() as session:
            found = session.get_one(Document, paper)
            if found.sha256 != before:
                raise ChangedMeanwhileError(f"document {paper} has changed")
            profiles.check_upload(found.content, content, len(found.signatures), self.authorities)
        return content


def _is_hex(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)
