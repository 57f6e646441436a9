"""How a page of any room learns who asks: FastAPI dependencies.

    def inbox(request: Request, officer: Annotated[StaffVisitor, Depends(staff(Role.OFFICER))]) -> Response: ...

`Anybody`, `ACitizen` and `AnOfficer` are the common ones, ready to annotate with.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from asty_citizen_services.database import Database
from asty_citizen_services.failures import RefusedError, SignInNeededError
from asty_citizen_services.identity import sessions
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import CitizenVisitor, StaffVisitor, Visitor


async def anybody(request: Request) -> Visitor | None:
    """Return who is signed in, if anybody is. Pages show it in their head (`visitor`). Only a session takes a thread."""
    token = request.cookies.get(request.app.state.cookies.session)
    if token is None:
        return None
    found = await run_in_threadpool(_visitor, request.app.state.database, token)
    request.state.visitor = found
    return found


def _visitor(database: Database, token: str) -> Visitor | None:
    with database.reading() as session:
        found = sessions.visitor(session, token, datetime.now(UTC))
        session.flush()
        return found


async def citizen(found: Annotated[Visitor | None, Depends(anybody)]) -> CitizenVisitor:
    """Return the citizen who asks. Raises SignInNeededError, which leads to the sign-in and back."""
    if not isinstance(found, CitizenVisitor):
        raise SignInNeededError("citizen")
    return found


def staff(*roles: Role) -> Callable[[Visitor | None], Awaitable[StaffVisitor]]:
    """Return a dependency that lets officers in who have one of the roles in any department; without roles, every account.

    Which department's cases they may see is the room's own question (`visitor.has(role, department)`).
    """

    async def officer(found: Annotated[Visitor | None, Depends(anybody)]) -> StaffVisitor:
        if not isinstance(found, StaffVisitor):
            raise SignInNeededError("staff")
        if roles and not any(found.has(role) for role in roles):
            raise RefusedError(403, "Your account may not open this page.", "Ask your head of department for the role.")
        return found

    return officer


Anybody = Annotated[Visitor | None, Depends(anybody)]
ACitizen = Annotated[CitizenVisitor, Depends(citizen)]
AnOfficer = Annotated[StaffVisitor, Depends(staff())]
