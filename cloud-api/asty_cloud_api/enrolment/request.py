"""What an edge asks for, checked: who signed it, for which edge, with which key. Pure: the time is an argument, no database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec
from asty_contracts.enrolment import CLAIM_PREFIX, MAX_BODY, EnrolmentRequest, fingerprint, signed_bytes
from asty_contracts.ids import is_name
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from asty_cloud_api.enrolment.authority import Authority, common
from asty_cloud_api.enrolment.keys import is_p256, public_bytes

_NEW_CLAIM = "make a new claim (asty enrol claim --edge ID) and bring it to the edge"
_RESERVED = ("asty-", CLAIM_PREFIX)
"""Names of the broker's own users and of claims: an edge called so would get rights that are not its own."""


class RefusedError(Exception):
    """A request that is not granted: the HTTP status, what is wrong and what a person does about it."""

    def __init__(self, status: int, error: str, advice: str) -> None:
        super().__init__(f"{error}; {advice}")
        self.status, self.error, self.advice = status, error, advice


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose signatures hold. `signer` is the serial of the claim or of the certificate that it was signed with;
    `late` tells that this one is past its time, which only a request that is already known may be.
    """

    kind: Literal["claim", "renewal"]
    edge: str
    signer: int
    late: bool
    key: ec.EllipticCurvePublicKey
    csr: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(public_bytes(self.key))


def may_name_an_edge(edge: str) -> bool:
    """Tell whether a claim can be made for that name."""
    return is_name(edge) and not edge.startswith(_RESERVED)


def read(body: bytes, town: Authority, claims: Authority, now: datetime) -> Asked:
    """Check a request's form and its signatures. Raises RefusedError."""
    if len(body) > MAX_BODY:
        raise RefusedError(413, f"the request is longer than {MAX_BODY} bytes", "send the certificate request alone")
    try:
        request = msgspec.json.decode(body, type=EnrolmentRequest)
        signer = x509.load_pem_x509_certificate(request.cert.encode())
        csr = x509.load_pem_x509_csr(request.csr.encode())
        signer_key, key = signer.public_key(), csr.public_key()
    except (msgspec.MsgspecError, ValueError, UnsupportedAlgorithm, RecursionError) as error:
        raise RefusedError(422, f"the request can't be read: {error}", "run asty-edge enrol of this version again") from error
    if request.v != 1:
        raise RefusedError(422, f"the request is of version {request.v}, known is 1", "bring both ends to the same version")
    if not (isinstance(signer_key, ec.EllipticCurvePublicKey) and isinstance(key, ec.EllipticCurvePublicKey) and is_p256(key)):
        raise RefusedError(422, "the keys are not EC P-256", "let asty-edge enrol make the key")
    kind = _kind(signer, town, claims)
    try:
        signer_key.verify(request.sig, signed_bytes(request.csr), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        advice = "it was changed on its way, or the claim's key is not the certificate's: " + _NEW_CLAIM
        raise RefusedError(401, "the signature does not fit the certificate request", advice) from None
    if not csr.is_signature_valid:
        raise RefusedError(401, "the certificate request was changed after it was signed", "run asty-edge enrol again")
    edge = common(signer.subject).removeprefix(CLAIM_PREFIX if kind == "claim" else "")
    _check_subject(csr, edge, town.org)
    if now < signer.not_valid_before_utc:
        raise RefusedError(401, "the certificate that signed is not valid yet", "set the clock of this server")
    return Asked(kind, edge, signer.serial_number, now > signer.not_valid_after_utc, key, request.csr)


def late(asked: Asked) -> RefusedError:
    """Return the refusal of a new request whose signer is past its time."""
    what = "claim" if asked.kind == "claim" else "certificate"
    return RefusedError(401, f"the {what} of {asked.edge} has expired", _NEW_CLAIM)


def _kind(signer: x509.Certificate, town: Authority, claims: Authority) -> Literal["claim", "renewal"]:
    if claims.signed(signer) and common(signer.subject).startswith(CLAIM_PREFIX):
        return "claim"
    if town.signed(signer) and may_name_an_edge(common(signer.subject)):
        return "renewal"
    raise RefusedError(401, "the certificate that signed is neither a claim nor an edge's of this town", _NEW_CLAIM)


def _check_subject(csr: x509.CertificateSigningRequest, edge: str, org: str) -> None:
    name, of = common(csr.subject), common(csr.subject, NameOID.ORGANIZATION_NAME)
    if name != edge:
        raise RefusedError(
            403, f"the certificate request names {name!r}, the claim is for {edge!r}", "set edge.id in the edge's configuration"
        )
    if of != org:
        raise RefusedError(403, f"the certificate request is of {of!r}, this town is {org!r}", "set edge.org in the edge's configuration")
