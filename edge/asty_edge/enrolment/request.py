"""What is asked and what is taken as an answer. Pure."""

import re
from dataclasses import dataclass

import msgspec
from asty_contracts.enrolment import CLAIM_PREFIX, EnrolmentAnswer, EnrolmentRequest, signed_bytes
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n?", re.DOTALL)


class ClaimFileError(Exception):
    """The claim's file can't be used for this edge: says why and what to do."""


class AnswerError(Exception):
    """The answer is not what this edge asked for: it is not taken."""


@dataclass(frozen=True, slots=True)
class Signer:
    """With what a request is signed, and the authority (PEM) that the answer must come from."""

    cert: str
    key: ec.EllipticCurvePrivateKey
    ca: str


def read_claim(text: str, edge: str) -> Signer:
    """Read a claim's file: its certificate, its key and the town's authority. Raises ClaimFileError."""
    blocks = [(match[1], match[0]) for match in _BLOCK.finditer(text)]
    if [kind for kind, _ in blocks] != ["CERTIFICATE", "PRIVATE KEY", "CERTIFICATE"]:
        raise ClaimFileError("it is no whole claim: expected a certificate, its private key and the town's authority; copy it again")
    (_, cert), (_, key_text), (_, ca) = blocks
    try:
        named = common(x509.load_pem_x509_certificate(cert.encode()))
        key = serialization.load_pem_private_key(key_text.encode(), None)
    except ValueError as error:
        raise ClaimFileError(f"it can't be read: {error}; copy it again") from error
    if named != CLAIM_PREFIX + edge:
        raise ClaimFileError(
            f"it is the claim of {named.removeprefix(CLAIM_PREFIX)!r}, and this edge is {edge!r}: set edge.id, or take the right claim"
        )
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ClaimFileError("its key is of another kind than EC; make a new claim")
    return Signer(cert, key, ca)


def body(key: ec.EllipticCurvePrivateKey, edge: str, org: str, signer: Signer) -> bytes:
    """Return the request for `key`: its certificate request, signed by the signer's key too."""
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, org), x509.NameAttribute(NameOID.COMMON_NAME, edge)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    csr = request.public_bytes(serialization.Encoding.PEM).decode()
    signature = signer.key.sign(signed_bytes(csr), ec.ECDSA(hashes.SHA256()))
    return msgspec.json.encode(EnrolmentRequest(csr, signer.cert, signature))


def check(answer: EnrolmentAnswer, key: ec.EllipticCurvePrivateKey, edge: str, ca: str) -> str:
    """Return the certificate of an approved answer: of this key, for this edge, from the known authority. Raises AnswerError."""
    try:
        cert = x509.load_pem_x509_certificate((answer.cert or "").encode())
        authority = x509.load_pem_x509_certificate(ca.encode())
    except ValueError as error:
        raise AnswerError(f"the answer holds no certificate that can be read: {error}") from error
    if cert.public_key() != key.public_key() or common(cert) != edge:
        raise AnswerError(f"the answer is the certificate of {common(cert)!r}, for another key than this edge's")
    try:
        cert.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise AnswerError(
            "the certificate comes from another authority than the one in the claim: is this the right town's address?"
        ) from error
    return cert.public_bytes(serialization.Encoding.PEM).decode()


def common(cert: x509.Certificate) -> str:
    """Return a certificate's common name, empty when there is none."""
    names = cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
