"""What the signatures of a PDF are worth: whole, whose, by whom vouched for."""

import io
from collections.abc import Sequence
from datetime import datetime

from asn1crypto import x509
from msgspec import Struct
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext


class NoPdfError(Exception):
    """The file is no PDF that can be read."""


class Signature(Struct, frozen=True):
    """One signature. `whole`: the bytes it covers are as they were. `trusted`: an authority of the list vouches for the certificate."""

    field: str
    name: str
    certificate: str
    issuer: str
    at: datetime | None
    whole: bool
    trusted: bool
    covers_all: bool
    """Nothing but further signatures was added after it."""


async def signatures(pdf: bytes, authorities: Sequence[x509.Certificate]) -> tuple[Signature, ...]:
    """Check every signature, in the order they were made. Raises NoPdfError."""
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=False)
        embedded = list(reader.embedded_signatures)
    except (PdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise NoPdfError("the file is no PDF that can be read") from error
    found = []
    for one in embedded:
        context = ValidationContext(trust_roots=list(authorities), allow_fetching=False)
        try:
            status = await async_validate_pdf_signature(one, context)
        except (PdfError, ValueError, KeyError) as error:
            found.append(Signature(one.field_name, "", str(error)[:200], "", None, whole=False, trusted=False, covers_all=False))
            continue
        certificate = status.signing_cert
        found.append(
            Signature(
                field=one.field_name,
                name=str(one.sig_object.get("/Name", "")),
                certificate=certificate.subject.human_friendly,
                issuer=certificate.issuer.human_friendly,
                at=status.timestamp_validity.timestamp if status.timestamp_validity else status.signer_reported_dt,
                whole=status.intact and status.valid,
                trusted=status.trusted,
                covers_all=status.modification_level
                in (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING),
            )
        )
    return tuple(found)
