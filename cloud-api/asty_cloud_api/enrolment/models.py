"""The tables of enrolment. Serials are upper-case hex, since they have up to 160 bits."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_cloud_api.fleet.models import Base


class Claim(Base):
    """A leave to ask once for a certificate of one edge. The newest of an edge counts; `withdrawn_at` ends the older."""

    __tablename__ = "enrolment_claim"

    serial: Mapped[str] = mapped_column(primary_key=True)
    edge: Mapped[str] = mapped_column(index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Request(Base):
    """What an edge asked with its claim; one a claim. `state` is waiting, approved or refused."""

    __tablename__ = "enrolment_request"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    claim: Mapped[str] = mapped_column(ForeignKey("fleet.enrolment_claim.serial"), unique=True)
    edge: Mapped[str] = mapped_column(index=True)
    fingerprint: Mapped[str]
    csr: Mapped[str]
    asked_at: Mapped[datetime]
    asked_from: Mapped[str]
    state: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    why: Mapped[str | None]


class EdgeCertificate(Base):
    """A certificate that an edge was given, by approval (`request`) or because it renewed another one (`renews`)."""

    __tablename__ = "edge_certificate"

    serial: Mapped[str] = mapped_column(primary_key=True)
    edge: Mapped[str] = mapped_column(index=True)
    fingerprint: Mapped[str]
    pem: Mapped[str]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    issued_at: Mapped[datetime]
    request: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("fleet.enrolment_request.id"))
    renews: Mapped[str | None] = mapped_column(ForeignKey("fleet.edge_certificate.serial"))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    why: Mapped[str | None]
