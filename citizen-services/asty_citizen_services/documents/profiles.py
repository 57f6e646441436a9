"""Each employee's ways of signing: a key file, a card or token, a remote service, or a signature made elsewhere and handed in."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from asn1crypto import x509
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.documents import card, remote
from asty_citizen_services.documents.models import SigningProfile
from asty_citizen_services.documents.signing import Mark, NotSignedError, Signer, from_pkcs12_data
from asty_citizen_services.documents.verify import NoPdfError, signatures

KINDS: Mapping[str, str] = {
    "pkcs12": "Key file (PKCS#12)",
    "csc": "Remote signature (CSC)",
    "pkcs11": "Card or token (PKCS#11)",
    "upload": "Download, sign, hand in",
}
MOST_BYTES = 64_000


def of(session: Session, staff: uuid.UUID) -> Sequence[SigningProfile]:
    """Return the ways of an employee that hold, the first made first."""
    return session.scalars(
        select(SigningProfile).where(SigningProfile.staff_id == staff, SigningProfile.ended_at.is_(None)).order_by(SigningProfile.made_at)
    ).all()


def add(
    session: Session, staff: uuid.UUID, kind: str, mark: Mark, config: Mapping[str, str], key_file: bytes | None, *, by: str, now: datetime
) -> SigningProfile:
    """Give an employee one more way of signing. `config` is what `opened` needs for the kind."""
    profile = SigningProfile(
        id=uuid.uuid4(), staff_id=staff, kind=kind, name=mark.name, office=mark.office, config=dict(config), key_file=key_file, made_at=now,
        ended_at=None,
    )  # fmt: skip
    session.add(profile)
    session.flush()
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="documents.add_profile", kind=kind)
    return profile


def end(session: Session, profile: uuid.UUID, staff: uuid.UUID, *, by: str, now: datetime) -> None:
    """Take a way of signing away; its key file is forgotten, what it signed stays."""
    found = session.get(SigningProfile, profile)
    if found is not None and found.staff_id == staff and found.ended_at is None:
        found.ended_at, found.key_file = now, None
        journal.write(session, f"staff:{staff}", at=now, actor=by, act="documents.end_profile", kind=found.kind)


def opened(profile: SigningProfile, secret: str, timestamps: str | None) -> Signer:
    """Return the signer behind a way of signing; `secret` is the passphrase or PIN that its owner typed. Raises NotSignedError."""
    match profile.kind:
        case "pkcs12":
            return from_pkcs12_data(profile.key_file or b"", secret, timestamps)
        case "csc":
            return remote.CscSigner(remote.Service(**profile.config), secret, timestamps)
        case "pkcs11":
            return card.CardSigner(card.Card(**profile.config), secret, timestamps)
    raise NotSignedError("this way of signing has no key here: download the document, sign it, and hand it in")


async def _check(before: bytes, after: bytes, known: int, authorities: Sequence[x509.Certificate]) -> str:
    if not after.startswith(before):
        raise NotSignedError("the file is not this document with a signature added: download it again and sign that file")
    try:
        found = await signatures(after, authorities)
    except NoPdfError as error:
        raise NotSignedError("the file is no PDF that can be read") from error
    if len(found) <= known:
        raise NotSignedError("the file has no new signature")
    last = found[-1]
    if not (last.whole and last.covers_all):
        raise NotSignedError("the signature does not cover the whole document as it is")
    if not last.trusted:
        raise NotSignedError(f"no authority that we know vouches for {last.certificate or 'the certificate'}")
    return last.certificate


def check_upload(before: bytes, after: bytes, known: int, authorities: Sequence[x509.Certificate]) -> str:
    """Return whose signature was added to a document that had `known` of them. Raises NotSignedError with what is wrong."""
    return asyncio.run(_check(before, after, known, authorities))


def config_of(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Return what a kind needs, out of a form. Raises NotSignedError when something lacks."""
    wanted = {"csc": ("address", "credential", "token"), "pkcs11": ("module", "token", "label")}.get(kind, ())
    config = {name: str(given.get(name, "")).strip() for name in wanted}
    if missing := [name for name, value in config.items() if not value]:
        raise NotSignedError(f"{', '.join(missing)}: needed for this way of signing")
    return config
