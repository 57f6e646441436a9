"""PAdES signatures: whoever holds a key signs, one after the other, and each signature covers all that stood before it."""

import io
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Protocol

from asn1crypto import x509
from msgspec import Struct
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, signers
from pyhanko.sign.fields import SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.timestamps import HTTPTimeStamper

from asty_citizen_services.documents.places import Seal, look


class NotSignedError(Exception):
    """The key did not sign: says why and what to do; the document stays as it was."""


class Mark(Struct, frozen=True):
    """What a signature says beside itself: the signer's name and office, and why they sign; `seal` is what it shows on the page."""

    name: str
    office: str
    reason: str
    seal: Seal | None = None


class Signer(Protocol):
    """Somebody's key. `sign` takes a PDF and returns it with one more signature."""

    async def sign(self, pdf: bytes, mark: Mark, field: str) -> bytes:
        """Raises NotSignedError."""
        ...


class KeySigner:
    """Signs with a key that pyHanko can use: from a PKCS#12 file, a PKCS#11 token or a remote CSC service."""

    def __init__(self, key: signers.Signer, timestamps: str | None = None) -> None:
        self._key = key
        self._timestamper = HTTPTimeStamper(timestamps) if timestamps else None

    async def sign(self, pdf: bytes, mark: Mark, field: str) -> bytes:
        """Add a signature under a field name of its own, to be seen where the document has a place of that name. Raises NotSignedError."""
        metadata = PdfSignatureMetadata(
            field_name=field,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            name=mark.name,
            location=mark.office,
            reason=mark.reason,
        )
        out = io.BytesIO()
        try:
            writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
            with ExitStack() as stack:
                shown = mark.seal is not None and any(name == field for name, *_ in enumerate_sig_fields(writer.prev, filled_status=False))
                style = stack.enter_context(look(mark.seal)) if mark.seal is not None and shown else None
                signer = PdfSigner(metadata, signer=self._key, timestamper=self._timestamper, stamp_style=style)
                await signer.async_sign_pdf(writer, output=out)
        except Exception as error:  # a token, a network and a foreign service fail in their own ways
            raise NotSignedError(
                f"the key did not sign ({error}); the document is unchanged; try again, or use another way of signing"
            ) from error
        return out.getvalue()


def from_pkcs12(path: Path, passphrase: str, timestamps: str | None = None) -> KeySigner:
    """Take the key of a PKCS#12 file. Raises NotSignedError, OSError."""
    return from_pkcs12_data(path.read_bytes(), passphrase, timestamps, path.name)


def from_pkcs12_data(content: bytes, passphrase: str, timestamps: str | None = None, name: str = "the key file") -> KeySigner:
    """Take the key of a PKCS#12 file that was read before. Raises NotSignedError."""
    try:
        key = signers.SimpleSigner.load_pkcs12_data(content, other_certs=[], passphrase=passphrase.encode())
    except ValueError as error:
        raise NotSignedError(f"{name} can't be opened ({error}); check the file and its passphrase") from error
    return KeySigner(key, timestamps)


class Certificate(Struct, frozen=True):
    """Whose certificate it is and how long it is good."""

    subject: str
    issuer: str
    until: datetime


def certificate_of(certificate: x509.Certificate) -> Certificate:
    """Say a certificate in words."""
    return Certificate(certificate.subject.human_friendly, certificate.issuer.human_friendly, certificate.not_valid_after)
