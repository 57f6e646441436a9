"""The papers of cases: numbered, composed, signed, delivered."""

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.documents.compose import Letterhead, compose, grouped, new_code
from asty_citizen_services.documents.facts import facts
from asty_citizen_services.documents.models import Document
from asty_citizen_services.documents.places import FIELD, seal
from asty_citizen_services.documents.signing import Mark, Signer
from asty_citizen_services.identity.models import Citizen, Department
from asty_citizen_services.municipal import desk as municipal
from asty_citizen_services.notices import outbox
from asty_citizen_services.procedures.catalogue import Catalogue, Procedure
from asty_citizen_services.registry import protocol
from asty_citizen_services.registry.models import Application, Docket

type Given = Callable[[Session, uuid.UUID], Mapping[str, Any]]
"""Says what officers gave with their last decision on a case: `reason`, and `record` where no register has the entry."""
type About = Callable[[Session, Application], Mapping[str, Any]]
OPEN = ("draft", "signed")
REJECTION = "rejection"


class ChangedMeanwhileError(Exception):
    """The document is another one by now: it was composed anew or signed by somebody else. Look at it again."""


class NotSignedYetError(Exception):
    """A document goes out only when it is signed."""


@dataclass(frozen=True)
class Papers:
    """Where documents are made. `address` is what a document's check is found under; `service` and `place` tell what telemetry
    and the nursery's ranking know of an application, nothing where they know nothing."""

    database: Database
    catalogue: Catalogue
    municipality: str
    address: str
    zone: ZoneInfo
    given: Given
    service: About
    place: About

    def compose(self, session: Session, application: Application, template: str, now: datetime) -> None:
        """Write a document of a case, or write it anew when it was sent back; its number and code stay. For `workflow`."""
        procedure = self.catalogue[application.procedure]
        entry = municipal.find(session, procedure.manifest.register, application.answers)
        given = self.given(session, application.id)
        paper, out = self._numbered(procedure, application, template, now, test_data=entry.test_data if entry else False)
        filed = session.scalars(
            select(Docket).where(Docket.application_id == application.id, Docket.direction == "in").order_by(Docket.at).limit(1)
        ).one()
        said = facts(
            application.answers, entry.record if entry else given.get("record", {}), applicant=self._applicant(session, application),
            filed=filed.reference, out=out.reference, reason=str(given.get("reason", "")), test_data=entry.test_data if entry else False,
            service=self.service(session, application), place=self.place(session, application),
        )  # fmt: skip
        department = session.get(Department, application.department)
        head = Letterhead(self.municipality, department.name_el if department else "", self.address)
        content = compose(
            procedure.folder / "documents", template, said, head, paper.code, now, self.zone,
            signers=procedure.model.signers(f"compose:{template}"),
        )  # fmt: skip
        kept = session.get_one(Document, paper.id)
        _put(kept, content, "draft", [])
        kept.made_at = now
        self._drop_others(session, kept, now)

    def deliver(self, session: Session, application: Application, template: str, now: datetime) -> None:
        """Open a signed document to its citizen and tell him. Raises NotSignedYetError. For `workflow`."""
        paper = session.scalars(
            select(Document).where(Document.application_id == application.id, Document.kind == template, Document.state == "signed")
        ).one_or_none()
        if paper is None:
            raise NotSignedYetError(f"case {application.id} has no signed {template}")
        paper.state, paper.delivered_at = "delivered", now
        docket = session.get_one(Docket, paper.docket_id)
        if application.citizen_id is not None:
            outbox.put(
                session, key=f"delivered:{paper.id}", citizen=application.citizen_id, about=f"case:{application.id}",
                template="rejected" if template == REJECTION else "issued", language=application.language, now=now,
                reference=docket.reference, subject=paper.title,
            )  # fmt: skip

    def sign(self, paper: uuid.UUID, sha256: bytes, signer: Signer, mark: Mark) -> bytes:
        """Return a document with one more signature; nothing is stored. Waits for the key's owner, outside of any transaction.

        Raises ChangedMeanwhileError, NotSignedError.
        """
        with self.database.begin() as session:
            found = session.get_one(Document, paper)
            if found.sha256 != sha256 or found.state not in OPEN:
                raise ChangedMeanwhileError(f"document {paper} has changed")
            content, field = found.content, FIELD.format(n=len(found.signatures) + 1)
            shown = seal(mark.name, mark.office, datetime.now(UTC), self.zone, grouped(found.code))
        return asyncio.run(signer.sign(content, msgspec.structs.replace(mark, seal=shown), field))

    def keep_signed(
        self, session: Session, paper: uuid.UUID, before: bytes, content: bytes, *, staff: uuid.UUID, mark: Mark, way: str, now: datetime
    ) -> None:
        """Keep a signed document in place of what it was. Raises ChangedMeanwhileError."""
        found = session.scalars(select(Document).where(Document.id == paper).with_for_update()).one()
        if found.sha256 != before or found.state not in OPEN:
            raise ChangedMeanwhileError(f"document {paper} has changed")
        signed = {"staff": str(staff), "name": mark.name, "office": mark.office, "at": now.isoformat(), "way": way}
        _put(found, content, "signed", [*found.signatures, signed])
        journal.write(
            session, f"case:{found.application_id}", at=now, actor=f"staff:{staff}", act="documents.sign", way=way, kind=found.kind,
            before=before.hex(), after=found.sha256.hex(),
        )  # fmt: skip

    def _numbered(
        self, procedure: Procedure, application: Application, template: str, now: datetime, *, test_data: bool
    ) -> tuple[Document, Docket]:
        """Return the document's row with its number, in a transaction of its own: filings do not wait while a page is set."""
        with self.database.begin() as session:
            found = session.scalars(
                select(Document).where(
                    Document.application_id == application.id, Document.kind == template, Document.state.in_(OPEN)
                ).with_for_update()
            ).one_or_none()  # fmt: skip
            if found is not None:
                return found, session.get_one(Docket, found.docket_id)
            title = procedure.manifest.outcome.el
            title = f"Απόρριψη: {procedure.manifest.title.el}" if template == REJECTION else title
            docket = protocol.enter(
                session, direction="out", issuer=self.municipality, subject=title, department=application.department,
                content_hash=hashlib.sha256(application.content_hash + template.encode()).digest(), zone=self.zone,
                application=application.id,
            )  # fmt: skip
            paper = Document(
                id=uuid.uuid4(), application_id=application.id, kind=template, title=title, code=new_code(), docket_id=docket.id,
                sha256=b"", content=b"", test_data=test_data, state="draft", signatures=[], made_at=now, delivered_at=None,
            )  # fmt: skip
            session.add(paper)
            return paper, docket

    def _drop_others(self, session: Session, kept: Document, now: datetime) -> None:
        """Another decision was taken: what was written for the earlier one and never left goes, and its number is cancelled."""
        others = session.scalars(
            select(Document).where(Document.application_id == kept.application_id, Document.id != kept.id, Document.state.in_(OPEN))
        )
        for other in others:
            other.state = "dropped"
            protocol.cancel(session, other.docket_id, actor="system", why=f"replaced by {kept.kind}", now=now)

    def _applicant(self, session: Session, application: Application) -> str:
        answers = application.answers
        if name := " ".join(str(answers[part]) for part in ("firstname", "lastname") if answers.get(part)):
            return name
        citizen = session.get(Citizen, application.citizen_id) if application.citizen_id else None
        return f"{citizen.firstname} {citizen.lastname}" if citizen else ""


def of_case(session: Session, application: uuid.UUID, *, delivered: bool = False) -> Sequence[tuple[Document, Docket]]:
    """Return the documents of a case with their numbers, newest first; with `delivered` those that its citizen may have."""
    states = ("delivered",) if delivered else (*OPEN, "delivered")
    rows = session.execute(
        select(Document, Docket).join(Docket, Docket.id == Document.docket_id)
        .where(Document.application_id == application, Document.state.in_(states), Document.content != b"")
        .order_by(Document.made_at.desc())
    )  # fmt: skip
    return rows.all()


def _put(paper: Document, content: bytes, state: str, signatures: list[dict[str, Any]]) -> None:
    paper.content, paper.sha256, paper.state, paper.signatures = content, hashlib.sha256(content).digest(), state, signatures
