"""Filing: application, protocol number, audit, notice and whatever follows, in one transaction."""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services import working_days
from asty_citizen_services.audit import journal
from asty_citizen_services.notices import outbox
from asty_citizen_services.registry import protocol
from asty_citizen_services.registry.models import Application, Docket

Channel = Literal["portal", "kiosk", "call_centre", "counter", "interface"]
OnFiled = Callable[[Session, Application, Docket], None]
FILED = "filed"


class KeyReusedError(Exception):
    """The key was used for another content: `docket` is what was filed with it. Nothing was filed now."""

    def __init__(self, docket: Docket) -> None:
        super().__init__(f"{docket.reference} was filed with this key and other content; file with a new key")
        self.docket = docket


@dataclass(frozen=True, slots=True)
class Filing:
    """What somebody files. `key` is chosen by the form (its draft's id): the same key twice is one filing.

    `subject` stands in the protocol; `filed_by` is a visitor's `actor`; `days` is the legal deadline from now, None without one.
    """

    procedure: str
    version: str
    subject: str
    department: str
    filed_by: str
    key: str
    citizen: uuid.UUID | None = None
    mandate: uuid.UUID | None = None
    channel: Channel = "portal"
    language: str = "el"
    days: int | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)

    def content_hash(self) -> bytes:
        """Return the SHA-256 of what was asked and by whom."""
        return hashlib.sha256(msgspec.json.encode([self.procedure, self.citizen, self.mandate, self.answers], order="sorted")).digest()


@dataclass(frozen=True, slots=True)
class Desk:
    """Where papers are handed in. `on_filed` is called in the transaction once the number stands: the workflow begins the case there."""

    issuer: str
    zone: ZoneInfo
    on_filed: Sequence[OnFiled] = ()
    clock: protocol.Clock = protocol.utc_now

    def file_application(self, session: Session, filing: Filing) -> Docket:
        """Store an application and return its entry in the protocol; with a known key and the same content, the first one's.

        Raises KeyReusedError.
        """
        application = self._insert(session, filing)
        if application is None:
            return self._known(session, filing)
        docket = protocol.enter(
            session, direction="in", issuer=self.issuer, subject=filing.subject, department=filing.department,
            content_hash=application.content_hash, zone=self.zone, application=application.id, clock=self.clock,
        )  # fmt: skip
        application.filed_at = application.changed_at = docket.at
        application.due_at = working_days.end_of_term(docket.at + timedelta(days=filing.days), self.zone) if filing.days else None
        journal.write(
            session, f"case:{application.id}", at=docket.at, actor=filing.filed_by, act="registry.file",
            subject=f"citizen:{filing.citizen}" if filing.citizen else "",
            reference=docket.reference, procedure=filing.procedure, channel=filing.channel, content=application.content_hash.hex(),
        )  # fmt: skip
        if filing.citizen is not None:
            outbox.put(
                session, key=f"filed:{application.id}", citizen=filing.citizen, about=f"case:{application.id}", template=FILED,
                language=filing.language, now=docket.at, reference=docket.reference, subject=filing.subject,
            )  # fmt: skip
        for follow in self.on_filed:
            follow(session, application, docket)
        return docket

    def _insert(self, session: Session, filing: Filing) -> Application | None:
        """Store the application unless its key is known. Waits for another transaction that is filing with the same key."""
        now = self.clock()
        row = insert(Application).values(
            id=uuid.uuid4(), procedure=filing.procedure, version=filing.version, citizen_id=filing.citizen, mandate_id=filing.mandate,
            department=filing.department, channel=filing.channel, language=filing.language, filed_by=filing.filed_by, filed_at=now,
            key=filing.key, content_hash=filing.content_hash(), answers=dict(filing.answers), state=FILED, changed_at=now,
        )  # fmt: skip
        return session.scalars(row.on_conflict_do_nothing(index_elements=["filed_by", "key"]).returning(Application)).one_or_none()

    def _known(self, session: Session, filing: Filing) -> Docket:
        docket, content = session.execute(
            select(Docket, Application.content_hash)
            .join(Application, Docket.application_id == Application.id)
            .where(Application.filed_by == filing.filed_by, Application.key == filing.key, Docket.direction == "in")
            .order_by(Docket.at)
            .limit(1)
        ).one()  # fmt: skip
        if content != filing.content_hash():
            raise KeyReusedError(docket)
        return docket
