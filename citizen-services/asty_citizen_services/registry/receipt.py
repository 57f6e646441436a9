"""What the law wants on a receipt: issuer, subject, time with its zone, the unique number."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from asty_citizen_services.identity.models import Staff
from asty_citizen_services.registry.models import Application, Docket


@dataclass(frozen=True, slots=True)
class Receipt:
    """`at` is local, with its zone: the legal time of the filing. `content` is the SHA-256 of what was filed, as hex.

    `helper` is the employee who filed it by telephone for the applicant, empty when nobody did.
    """

    reference: str
    issuer: str
    subject: str
    department: str
    at: datetime
    content: str
    helper: str = ""

    @property
    def written_at(self) -> str:
        """The time as it is printed: `24/11/2026 13:05:12 EET`."""
        return f"{self.at:%d/%m/%Y %H:%M:%S} {self.at.tzname()}"


def of(docket: Docket, zone: ZoneInfo, helper: str = "") -> Receipt:
    """Return the receipt of an entry of the protocol."""
    return Receipt(
        docket.reference, docket.issuer, docket.subject, docket.department, docket.at.astimezone(zone), docket.content_hash.hex(), helper
    )


def helper_of(session: Session, case: uuid.UUID) -> str:
    """Return who filed a case by telephone for its applicant, empty when nobody did."""
    application = session.get_one(Application, case)
    kind, _, who = application.filed_by.partition(":")
    if application.channel != "call_centre" or kind != "staff":
        return ""
    return session.get_one(Staff, uuid.UUID(who)).name
