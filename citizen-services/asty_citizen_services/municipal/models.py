"""The table of the simulated registers."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import Base


class RegisterEntry(Base):
    """One entry of a register. `record` holds what documents are written from and what an entry is found by; `test_data`: nobody's."""

    __tablename__ = "register_entry"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    register: Mapped[str] = mapped_column(index=True)
    record: Mapped[dict[str, Any]]
    test_data: Mapped[bool]
    made_at: Mapped[datetime]
