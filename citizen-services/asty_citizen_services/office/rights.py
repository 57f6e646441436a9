"""Which tasks and cases an officer may open and move. Pure."""

from collections.abc import Iterable

from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor

WORKERS = (Role.OFFICER, Role.HEAD)
READERS = (*WORKERS, Role.REGISTRAR)


def may_do(officer: StaffVisitor, seat: str, role: str | None) -> bool:
    """Tell whether a task is one of the officer's: of the role that it needs, or any task of a department that he or she heads."""
    return officer.has(Role.HEAD, seat) or (role is not None and officer.has(Role(role), seat))


def heads(officer: StaffVisitor, seat: str) -> bool:
    return officer.has(Role.HEAD, seat)


def may_read(officer: StaffVisitor, departments: Iterable[str]) -> bool:
    """Tell whether a case that these departments have, or had, is open to the officer."""
    return any(officer.has(role, department) for department in departments for role in READERS)


def desks(officer: StaffVisitor) -> frozenset[str]:
    """Return the departments whose tasks the officer works on."""
    return frozenset(one.department for one in officer.granted if one.role in WORKERS)
