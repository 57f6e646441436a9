"""The pages around the interface: its description, and the keys that a citizen gives to programs."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import NoResultFound

from asty_citizen_services.database import Database
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity import mandates
from asty_citizen_services.identity.door import ACitizen, anybody
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.interface import access
from asty_citizen_services.problems import PREFIX
from asty_citizen_services.rates import Limit
from asty_citizen_services.screens import Screens

TOO_MANY = "You have ten keys. Take one back before you give another."
NO_NAME = "Write which program the key is for."
Days = Literal["30", "90", "365"]


class Programs:
    """What the pages need."""

    def __init__(self, database: Database, screens: Screens) -> None:
        self._database, self._screens = database, screens

    def routes(self) -> APIRouter:
        """Return the router of the pages."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/api/docs", self.describe)
        router.add_api_route("/me/programs", self.show)
        router.add_api_route("/me/programs", self.give, methods=["POST"], dependencies=[Depends(Limit(20, 60))])
        router.add_api_route("/me/programs/{key}/end", self.take_back, methods=["POST"])
        return router

    def describe(self, request: Request) -> Response:
        said: dict[str, Any] = request.app.openapi()
        ours = {path: methods for path, methods in said["paths"].items() if path.startswith(PREFIX)}
        return self._screens.render(request, "interface/docs.html", {"paths": ours, "schemas": said["components"]["schemas"]})

    def show(self, request: Request, citizen: ACitizen) -> Response:
        return self._page(request, citizen)

    def give(
        self, request: Request, citizen: ACitizen, name: Annotated[str, Form(max_length=60)] = "",
        may: Annotated[Literal["read", "file"], Form()] = "read", days: Annotated[Days, Form()] = "90",
    ) -> Response:  # fmt: skip
        """Make a key for whom the citizen acts for now, and show it once."""
        name = "".join(sign for sign in name if sign.isprintable()).strip()
        if not name:
            return self._page(request, citizen, wrong=NO_NAME)
        try:
            with self._database.begin() as session:
                token = access.give(session, citizen, name, may_file=may == "file", days=int(days), now=datetime.now(UTC))
        except access.TooManyKeysError:
            return self._page(request, citizen, wrong=TOO_MANY)
        return self._page(request, citizen, token=token)

    def take_back(self, citizen: ACitizen, key: uuid.UUID) -> Response:
        try:
            with self._database.begin() as session:
                access.take_back(session, citizen, key, datetime.now(UTC))
        except NoResultFound as error:
            raise RefusedError(404, *NOWHERE) from error
        return RedirectResponse("/me/programs", 303)

    def _page(self, request: Request, citizen: CitizenVisitor, *, token: str = "", wrong: str = "") -> Response:
        now = datetime.now(UTC)
        with self._database.begin() as session:
            context = {
                "keys": access.of(session, citizen), "names": {one.id: one.legal_name for one in mandates.of(session, citizen.id, now)},
                "token": token, "wrong": wrong, "days": access.DAYS, "now": now,
            }  # fmt: skip
        return self._screens.render(request, "interface/programs.html", context, status=422 if wrong else 200)
