"""How an edge asks for its certificate: what is posted to `/api/enrolment`, what is answered. Asking again gives the same answer.

An edge that has none yet signs with its claim's key; one that renews signs with the key of the certificate that it holds.
"""

import hashlib
from typing import Literal

from msgspec import Struct

PATH = "/api/enrolment"
MAX_BODY = 16_384  # bytes
CLAIM_PREFIX = "claim-"
"""A claim's common name is this and the edge's id, which makes it 38 characters at most and never a broker's user."""


class EnrolmentRequest(Struct, frozen=True):
    """`csr` and `cert` are PEM, `sig` an ECDSA-SHA256 signature (DER) of `signed_bytes(csr)` by the key of `cert`."""

    csr: str
    cert: str
    sig: bytes
    v: int = 1


class EnrolmentAnswer(Struct, frozen=True, omit_defaults=True):
    """`cert` is the edge's certificate and `ca` the town's authority, both PEM, once `state` is approved."""

    state: Literal["waiting", "approved"]
    edge: str
    fingerprint: str
    cert: str | None = None
    ca: str | None = None


class EnrolmentRefused(Struct, frozen=True):
    """Any answer but 200: what is wrong, and what a person does about it."""

    error: str
    advice: str


def signed_bytes(csr: str) -> bytes:
    """Return what is signed: a signature made for anything else never fits."""
    return b"asty enrolment v1\n" + csr.encode()


def fingerprint(public_key: bytes) -> str:
    """Return a public key (SubjectPublicKeyInfo, DER) as people compare it: 128 bits of its SHA-256 as `3F2A-91BC-…`."""
    digits = hashlib.sha256(public_key).hexdigest()[:32].upper()
    return "-".join(digits[at : at + 4] for at in range(0, 32, 4))
