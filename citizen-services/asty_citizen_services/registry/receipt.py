"""What the law wants on a receipt: issuer, subject, time with its zone, the unique number."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from asty_citizen_services.registry.models import Docket


@dataclass(frozen=True, slots=True)
class Receipt:
    """`at` is local, with its zone: the legal time of the filing. `content` is the SHA-256 of what was filed, as hex."""

    reference: str
    issuer: str
    subject: str
    department: str
    at: datetime
    content: str

    @property
    def written_at(self) -> str:
        """The time as it is printed: `24/11/2026 13:05:12 EET`."""
        return f"{self.at:%d/%m/%Y %H:%M:%S} {self.at.tzname()}"


def of(docket: Docket, zone: ZoneInfo) -> Receipt:
    """Return the receipt of an entry of the protocol."""
    return Receipt(
        docket.reference, docket.issuer, docket.subject, docket.department, docket.at.astimezone(zone), docket.content_hash.hex()
    )
