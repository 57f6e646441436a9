"""Looking an application up in its register."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.municipal.models import RegisterEntry
from asty_citizen_services.municipal.registers import REGISTERS, fits


def find(session: Session, register: str | None, answers: Mapping[str, Any]) -> RegisterEntry | None:
    """Return the one entry that the answers mean; None when there is none, or more than one."""
    if register is None or register not in REGISTERS:
        return None
    entries = session.scalars(select(RegisterEntry).where(RegisterEntry.register == register))
    found = [entry for entry in entries if fits(REGISTERS[register], entry.record, answers)]
    return found[0] if len(found) == 1 else None
