"""The tables of documents."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class Document(Base):
    """A paper of a case, or of none: a publication. `kind` is its template, `docket_id` its own number, `code` opens its check.

    `state` is draft, signed, delivered or dropped; `signatures` says who signed when, in the order of signing.
    """

    __tablename__ = "document"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    kind: Mapped[str]
    title: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    docket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.docket.id"))
    sha256: Mapped[bytes] = mapped_column(index=True)
    content: Mapped[bytes]
    test_data: Mapped[bool]
    state: Mapped[str]
    signatures: Mapped[list[Any]]
    made_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class SigningProfile(Base):
    """One way in which an employee signs: `kind` is pkcs12, csc, pkcs11 or upload.

    `key_file` is the PKCS#12 file, encrypted by its owner's passphrase, which is typed at each signing and kept nowhere.
    """

    __tablename__ = "signing_profile"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    office: Mapped[str]
    config: Mapped[dict[str, Any]]
    key_file: Mapped[bytes | None]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
