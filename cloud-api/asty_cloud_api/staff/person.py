"""Who asks: a person or a program, as the gate found them. Rooms take the name for what they keep."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from asty_cloud_api.staff.roles import Role, suffices


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is kept with what they do; a program's name is its token's."""

    name: str
    roles: frozenset[Role]
    is_program: bool = False

    def may(self, role: Role) -> bool:
        return suffices(self.roles, role)

    @property
    def dispatches(self) -> bool:
        return self.may(Role.DISPATCHER)

    @property
    def administers(self) -> bool:
        return self.may(Role.ADMINISTRATOR)


def acting(request: Request) -> Person:
    """Return who acts. The gate has let them in before a room is asked."""
    person: Person = request.state.person
    return person


Acting = Annotated[Person, Depends(acting)]
