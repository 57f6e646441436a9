"""The acts of enrolment, each in the transaction that it is given: claim, take a request, approve, refuse, revoke."""

import uuid
from datetime import datetime

from asty_contracts.enrolment import EnrolmentAnswer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from asty_cloud_api.enrolment import keys
from asty_cloud_api.enrolment.authority import CLAIM_LIFE, Authority, Revoked
from asty_cloud_api.enrolment.models import Claim, EdgeCertificate, Request
from asty_cloud_api.enrolment.request import Asked, RefusedError, late, may_name_an_edge

_LOCK = 0x656E726F6C  # "enrol"
_NEW_CLAIM = "make a new claim (asty enrol claim --edge ID) and bring it to the edge"


class CantBeDoneError(Exception):
    """What an officer asked for does not fit how things are: says why, and that nothing was changed."""


def serial_text(serial: int) -> str:
    return f"{serial:X}"


def open_claim(session: Session, edge: str, town: Authority, claims: Authority, officer: str, now: datetime) -> bytes:
    """Make a claim and return its file: certificate, private key, and the town's authority, PEM. The key is kept nowhere else.

    An older claim of the edge ends, and a request that waits on it. Raises CantBeDoneError.
    """
    if not may_name_an_edge(edge):
        raise CantBeDoneError(
            f"{edge!r} can't name an edge: expected 1 to 32 of a-z, 0-9 and inner hyphens, not beginning with asty- or claim-"
        )
    lock(session)
    _end_claims(session, edge, officer, "a newer claim was made", now)
    key = keys.new_key()
    cert = claims.claim(edge, key.public_key(), now)
    session.add(
        Claim(
            serial=serial_text(cert.serial_number), edge=edge, made_at=now, made_by=officer, expires_at=now + CLAIM_LIFE, withdrawn_at=None
        )
    )
    return keys.pem(cert) + keys.key_pem(key) + keys.pem(town.cert)


def take(session: Session, asked: Asked, town: Authority, asked_from: str, now: datetime) -> EnrolmentAnswer:
    """Answer an edge; the same request again gets the answer as it stands now. Raises RefusedError."""
    lock(session)
    found = _claimed(session, asked, asked_from, now) if asked.kind == "claim" else _renewed(session, asked, town, now)
    if isinstance(found, Request):
        return EnrolmentAnswer("waiting", asked.edge, asked.fingerprint)
    if found.revoked_at is not None:
        raise RefusedError(403, f"the certificate of {asked.edge} was revoked: {found.why}", _NEW_CLAIM)
    return EnrolmentAnswer("approved", asked.edge, asked.fingerprint, found.pem, keys.pem(town.cert).decode())


def approve(session: Session, request_id: uuid.UUID, town: Authority, officer: str, now: datetime) -> EdgeCertificate:
    """Give the edge its certificate. What it had before is revoked: an edge is one device. Raises CantBeDoneError."""
    request = _waiting(session, request_id)
    _revoke_certificates(session, request.edge, officer, "replaced by a new enrolment", now)
    request.state, request.decided_at, request.decided_by = "approved", now, officer
    key = x509.load_pem_x509_csr(request.csr.encode()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return _issue(session, request.edge, key, request.fingerprint, town, now, request=request.id)


def refuse(session: Session, request_id: uuid.UUID, officer: str, why: str, now: datetime) -> str:
    """Refuse a request for good and return its edge; the edge needs a new claim. Raises CantBeDoneError."""
    request = _waiting(session, request_id)
    request.state, request.decided_at, request.decided_by, request.why = "refused", now, officer, why
    return request.edge


def revoke(session: Session, edge: str, officer: str, why: str, now: datetime) -> int:
    """Take every certificate, waiting request and open claim from an edge; returns how many certificates. Twice changes nothing.

    Raises CantBeDoneError when the edge never had one.
    """
    lock(session)
    known = session.scalar(select(func.count()).select_from(Claim).where(Claim.edge == edge))
    if not known:
        raise CantBeDoneError(f"there is no edge {edge!r} here; asty enrol list names them; nothing was changed")
    _end_claims(session, edge, officer, why, now)
    return _revoke_certificates(session, edge, officer, why, now)


def waiting_of(session: Session, edge: str) -> Request:
    """Return the request of an edge that waits for an officer. Raises CantBeDoneError."""
    found = session.scalar(select(Request).where(Request.edge == edge, Request.state == "waiting"))
    if found is None:
        raise CantBeDoneError(f"no request of {edge!r} waits; run asty-edge enrol on the edge first; nothing was changed")
    return found


def revoked(session: Session, now: datetime) -> list[Revoked]:
    """Return what the revocation list names: certificates that were revoked and would still be valid."""
    rows = session.execute(
        select(EdgeCertificate.serial, EdgeCertificate.revoked_at)
        .where(EdgeCertificate.revoked_at.is_not(None), EdgeCertificate.not_after > now)
        .order_by(EdgeCertificate.revoked_at, EdgeCertificate.serial)
    )
    return [Revoked(int(serial, 16), at) for serial, at in rows if at is not None]


def lock(session: Session) -> None:
    """Let acts follow each other: they are rare, and each reads what the one before wrote."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _claimed(session: Session, asked: Asked, asked_from: str, now: datetime) -> Request | EdgeCertificate:
    serial = serial_text(asked.signer)
    claim = session.get(Claim, serial)
    if claim is None:
        raise RefusedError(401, f"this claim of {asked.edge} is not known here", _NEW_CLAIM)
    request = session.scalar(select(Request).where(Request.claim == serial))
    if request is not None and request.fingerprint != asked.fingerprint:
        advice = "if nobody of yours did that, refuse its request; then " + _NEW_CLAIM
        raise RefusedError(409, f"the claim of {asked.edge} was used already, by another key ({request.fingerprint})", advice)
    if request is None:
        if claim.withdrawn_at is not None:
            raise RefusedError(409, f"the claim of {asked.edge} was withdrawn", _NEW_CLAIM)
        if asked.late:
            raise late(asked)
        request = Request(
            id=uuid.uuid4(), claim=serial, edge=asked.edge, fingerprint=asked.fingerprint, csr=asked.csr, asked_at=now,
            asked_from=asked_from, state="waiting", decided_at=None, decided_by=None, why=None,
        )  # fmt: skip
        session.add(request)
    if request.state == "refused":
        raise RefusedError(403, f"the request of {asked.edge} was refused: {request.why}", _NEW_CLAIM)
    if request.state == "waiting":
        return request
    return session.scalars(select(EdgeCertificate).where(EdgeCertificate.request == request.id)).one()


def _renewed(session: Session, asked: Asked, town: Authority, now: datetime) -> EdgeCertificate:
    serial = serial_text(asked.signer)
    held = session.get(EdgeCertificate, serial)
    if held is None:
        raise RefusedError(401, f"this certificate of {asked.edge} is not known here", _NEW_CLAIM)
    if held.revoked_at is not None:
        return held
    successor = session.scalar(select(EdgeCertificate).where(EdgeCertificate.renews == serial))
    if successor is not None and successor.fingerprint == asked.fingerprint:
        return successor
    if successor is not None:
        advice = "if nobody of yours did that, it was copied: asty enrol revoke; then " + _NEW_CLAIM
        raise RefusedError(409, f"the certificate of {asked.edge} was renewed already, by another key ({successor.fingerprint})", advice)
    if asked.late:
        raise late(asked)
    if held.fingerprint == asked.fingerprint:
        raise RefusedError(422, "a renewal needs a new key", "run asty-edge renew, which makes one")
    return _issue(session, asked.edge, asked.key, asked.fingerprint, town, now, renews=serial)


def _issue(
    session: Session,
    edge: str,
    key: ec.EllipticCurvePublicKey,
    fingerprint: str,
    town: Authority,
    now: datetime,
    *,
    request: uuid.UUID | None = None,
    renews: str | None = None,
) -> EdgeCertificate:
    cert = town.edge(edge, key, now)
    row = EdgeCertificate(
        serial=serial_text(cert.serial_number), edge=edge, fingerprint=fingerprint, pem=keys.pem(cert).decode(),
        not_before=cert.not_valid_before_utc, not_after=cert.not_valid_after_utc, issued_at=now, request=request, renews=renews,
        revoked_at=None, revoked_by=None, why=None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _waiting(session: Session, request_id: uuid.UUID) -> Request:
    lock(session)
    request = session.get(Request, request_id)
    if request is None:
        raise CantBeDoneError("there is no such request; nothing was changed")
    if request.state != "waiting":
        raise CantBeDoneError(
            f"the request of {request.edge} was decided already: {request.state} by {request.decided_by}; nothing was changed"
        )
    return request


def _end_claims(session: Session, edge: str, officer: str, why: str, now: datetime) -> None:
    session.execute(update(Claim).where(Claim.edge == edge, Claim.withdrawn_at.is_(None)).values(withdrawn_at=now))
    ended = {"state": "refused", "decided_at": now, "decided_by": officer, "why": why}
    session.execute(update(Request).where(Request.edge == edge, Request.state == "waiting").values(ended))


def _revoke_certificates(session: Session, edge: str, officer: str, why: str, now: datetime) -> int:
    valid = (EdgeCertificate.edge == edge, EdgeCertificate.revoked_at.is_(None), EdgeCertificate.not_after > now)
    held = session.scalars(select(EdgeCertificate).where(*valid)).all()
    for certificate in held:
        certificate.revoked_at, certificate.revoked_by, certificate.why = now, officer, why
    return len(held)
