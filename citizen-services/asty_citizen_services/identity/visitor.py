"""Whoever stands at the door, as the other rooms see him."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from asty_citizen_services.identity.roles import Role


@dataclass(frozen=True, slots=True)
class ActsFor:
    """The legal person for whom a citizen acts, by a recorded mandate."""

    mandate: uuid.UUID
    afm: str
    name: str


@dataclass(frozen=True, slots=True)
class CitizenVisitor:
    """A citizen who is signed in. Names are the register's: capitals without accents."""

    id: uuid.UUID
    taxid: str
    lastname: str
    firstname: str
    fathername: str
    mothername: str
    birthyear: int | None
    acts_for: ActsFor | None = None

    is_staff = False

    @property
    def name(self) -> str:
        return f"{self.firstname} {self.lastname}".strip()

    @property
    def actor(self) -> str:
        """How audit and protocol name this person."""
        return f"citizen:{self.id}"


@dataclass(frozen=True, slots=True)
class Granted:
    """A role in a department; `lent_by` names the officer who delegated it, `until` when that ends."""

    department: str
    role: Role
    lent_by: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StaffVisitor:
    """An officer who is signed in, with the roles that count now, own and delegated."""

    id: uuid.UUID
    username: str
    name: str
    granted: tuple[Granted, ...] = field(default=())

    is_staff = True

    @property
    def actor(self) -> str:
        """How audit and protocol name this person."""
        return f"staff:{self.id}"

    def has(self, role: Role, department: str | None = None) -> bool:
        """Tell whether the officer has a role, in one department or in any."""
        return any(one.role is role and department in (None, one.department) for one in self.granted)

    def has_any(self, roles: Iterable[str]) -> bool:
        """Tell whether the officer has one of some roles in any department."""
        return any(one.role in roles for one in self.granted)

    @property
    def departments(self) -> frozenset[str]:
        return frozenset(one.department for one in self.granted)


Visitor = CitizenVisitor | StaffVisitor
