"""Enrolment at work: the acts of the desk in transactions of their own, then the revocation list, then the broker."""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asty_contracts.enrolment import EnrolmentAnswer
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from asty_cloud_api.enrolment import desk, request
from asty_cloud_api.enrolment.authority import Revoked
from asty_cloud_api.enrolment.broker import Broker, Key, short_lived
from asty_cloud_api.enrolment.folder import Folder
from asty_cloud_api.enrolment.models import EdgeCertificate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Office:
    """Every act raises NoAuthorityError while the folder holds no authorities, and SQLAlchemyError while the database is away."""

    folder: Folder
    engine: Engine
    broker: Broker | None

    def claim(self, edge: str, officer: str) -> bytes:
        """Return the file of a new claim. Raises CantBeDoneError."""
        town, claims = self.folder.town(), self.folder.claims()
        with Session(self.engine) as session, session.begin():
            made = desk.open_claim(session, edge, town, claims, officer, _now())
        log.info("event=claim_made edge=%s officer=%s", edge, officer)
        return made

    def take(self, body: bytes, asked_from: str) -> EnrolmentAnswer:
        """Answer an edge's request. Raises RefusedError."""
        now, town = _now(), self.folder.town()
        asked = request.read(body, town, self.folder.claims(), now)
        with Session(self.engine) as session, session.begin():
            answer = desk.take(session, asked, town, asked_from, now)
        log.info("event=enrolment_asked edge=%s kind=%s state=%s from=%s", asked.edge, asked.kind, answer.state, asked_from)
        return answer

    def approve(self, request_id: uuid.UUID, officer: str) -> str:
        """Grant a request and return its edge. Raises CantBeDoneError, BrokerAwayError once it is granted."""
        now, town = _now(), self.folder.town()
        with Session(self.engine) as session, session.begin():
            edge = desk.approve(session, request_id, town, officer, now).edge
            replaced = session.scalar(
                select(func.count()).select_from(EdgeCertificate).where(EdgeCertificate.edge == edge, EdgeCertificate.revoked_at == now)
            )
        log.info("event=enrolment_approved edge=%s officer=%s", edge, officer)
        if replaced:
            self.enforce([edge])
        return edge

    def refuse(self, request_id: uuid.UUID, officer: str, why: str) -> str:
        """Refuse a request and return its edge. Raises CantBeDoneError."""
        with Session(self.engine) as session, session.begin():
            edge = desk.refuse(session, request_id, officer, why, _now())
        log.info("event=enrolment_refused edge=%s officer=%s why=%r", edge, officer, why)
        return edge

    def revoke(self, edge: str, officer: str, why: str) -> int:
        """Take an edge's certificates and cut it off. Raises CantBeDoneError, BrokerAwayError once the list is written."""
        with Session(self.engine) as session, session.begin():
            count = desk.revoke(session, edge, officer, why, _now())
        log.info("event=edge_revoked edge=%s officer=%s certificates=%d why=%r", edge, officer, count, why)
        self.enforce([edge])
        return count

    def enforce(self, edges: Sequence[str] = ()) -> None:
        """Write the revocation list as the database has it, and let the broker follow. Raises BrokerAwayError."""
        now, town = _now(), self.folder.town()
        witness = short_lived(town, edges[0], now) if edges and self.broker else None
        with Session(self.engine) as session, session.begin():
            desk.lock(session)  # two lists are written one after the other
            self.folder.write_revocations(desk.revoked(session, now) + _of(witness, now), now)
        if self.broker is None:
            return
        self.broker.reload()
        if witness is not None:
            for edge in edges:
                self.broker.cut_off(town, edge, witness, now)


def _of(witness: Key | None, now: datetime) -> list[Revoked]:
    return [Revoked(witness.cert.serial_number, now)] if witness else []


def _now() -> datetime:
    return datetime.now(UTC)
