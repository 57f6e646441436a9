"""The tables of identity. Secrets that a person holds (session, code, invitation) are kept only as hashes."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class Citizen(Base):
    """A person as the national login names him or her. `taxid` (AFM) is text: it may begin with a zero.

    `entered_by` is the officer who entered somebody that has never signed in: names are then as they were told.
    """

    __tablename__ = "citizen"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    taxid: Mapped[str] = mapped_column(unique=True)
    lastname: Mapped[str]
    firstname: Mapped[str]
    fathername: Mapped[str]
    mothername: Mapped[str]
    birthyear: Mapped[int | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    entered_by: Mapped[str | None]


class ContactPoint(Base):
    """A verified phone number (E.164) or e-mail address of a citizen; `ended_at` when another took its place."""

    __tablename__ = "contact_point"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    kind: Mapped[str]
    address: Mapped[str]
    verified_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OneTimeCode(Base):
    """A code that was sent to an address to verify it."""

    __tablename__ = "one_time_code"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    kind: Mapped[str]
    address: Mapped[str]
    code_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries_left: Mapped[int]
    used_at: Mapped[datetime | None]


class Mandate(Base):
    """The recorded power of a citizen to act for a legal person, by its AFM. `basis` names the deed that an officer saw."""

    __tablename__ = "mandate"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    afm: Mapped[str] = mapped_column(index=True)
    legal_name: Mapped[str]
    basis: Mapped[str]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    recorded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"))
    recorded_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"))


class MandateScan(Base):
    """The deed of a mandate as it was scanned: looked into and cleaned, with its hash."""

    __tablename__ = "mandate_scan"

    mandate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.mandate.id"), primary_key=True)
    name: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[bytes]
    sha256: Mapped[bytes]
    made_at: Mapped[datetime]


class Department(Base):
    """A department of the municipality; `slug` is what manifests and lanes call it by."""

    __tablename__ = "department"

    slug: Mapped[str] = mapped_column(primary_key=True)
    name_el: Mapped[str]
    name_en: Mapped[str]


class Staff(Base):
    """An account of the municipality. `oidc_subject` binds it to the directory; `ended_at` shuts it."""

    __tablename__ = "staff"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str]
    oidc_subject: Mapped[str | None] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class StaffRole(Base):
    """What somebody may do in a department: one of `roles.Role`."""

    __tablename__ = "staff_role"

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), primary_key=True)
    department: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.department.slug"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    given_at: Mapped[datetime]
    given_by: Mapped[str]


class Invitation(Base):
    """A link by which an account registers a passkey, once."""

    __tablename__ = "invitation"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A WebAuthn credential of an account."""

    __tablename__ = "passkey"

    id: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Absence(Base):
    """Days on which somebody is away; the inbox then offers the work to the delegate."""

    __tablename__ = "absence"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    made_at: Mapped[datetime]


class Delegation(Base):
    """A role in a department that one officer lends to another for a time."""

    __tablename__ = "delegation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    from_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    to_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    department: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.department.slug"))
    role: Mapped[str]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignedIn(Base):
    """A browser in which a citizen or an officer is signed in. The cookie holds the token, this row its hash."""

    __tablename__ = "session"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    mandate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.mandate.id"))
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Ceremony(Base):
    """A sign-in or a passkey's registration that is under way in one browser; taken out once."""

    __tablename__ = "ceremony"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class IdentityCheck(Base):
    """How an officer made sure who somebody is that did not sign in: `asked` are the questions answered right, `document` what was seen."""

    __tablename__ = "identity_check"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"))
    asked: Mapped[list[Any]]
    document: Mapped[str]
    made_at: Mapped[datetime]


class IdentityCheckCase(Base):
    """The check by which an application was filed for somebody."""

    __tablename__ = "identity_check_case"

    case_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    check_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.identity_check.id"))
