"""A municipality whose interface is asked by programs with keys."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn
from asty_citizen_services.identity import departments, sessions
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.interface import access
from asty_citizen_services.main import create_app
from asty_citizen_services.settings import Settings
from fastapi import FastAPI

SECRET = "x" * 24


@dataclass
class Town:
    """`key(n)` gives a program the key of the n-th citizen."""

    app: FastAPI
    url: str
    municipality: Any
    people: list[uuid.UUID]

    def key(self, n: int = 0, *, may_file: bool = True) -> str:
        now = datetime.now(UTC)
        with self.municipality.database.begin() as session:
            for one in access.of(session, who := sessions.citizen(session, self.people[n], None, now)):
                access.take_back(session, who, one.id, now)
            return access.give(session, who, "δοκιμή", may_file=may_file, days=30, now=now)

    def session_of(self, n: int = 0) -> str:
        with self.municipality.database.begin() as session:
            return sessions.begin(session, datetime.now(UTC), citizen=self.people[n])


@pytest.fixture(scope="module")
def town(municipality: Any, free_port: Callable[[], int], eventually: Callable[..., object]) -> Iterator[Town]:
    port = free_port()
    app = create_app(Settings("demo", municipality.dsn, SECRET, "Δήμος Δοκιμής", f"http://localhost:{port}"))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    now = datetime.now(UTC)
    people = [uuid.uuid4(), uuid.uuid4()]
    with municipality.database.begin() as session:
        departments.store(session, departments.read(departments.OWN))
        for who, person in zip(people, PERSONS, strict=False):
            session.add(
                Citizen(
                    id=who, taxid=person.taxid, lastname=person.lastname, firstname=person.firstname, fathername=person.fathername,
                    mothername=person.mothername, birthyear=person.birthyear, first_seen_at=now, last_seen_at=now,
                )
            )  # fmt: skip
    yield Town(app, f"http://localhost:{port}", municipality, people)
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def ask(town: Town) -> Iterator[Callable[..., Any]]:
    """Return `ask(method, path, key, **more)`: one call of a program; below /api/v1."""
    with httpx.Client(base_url=town.url, trust_env=False, timeout=60) as client:

        def call(method: str, path: str, key: str = "", headers: dict[str, str] | None = None, **more: Any) -> Any:
            sent = {"Authorization": f"Bearer {key}"} if key else {}
            return client.request(method, f"/api/v1{path}", headers=sent | (headers or {}), **more)

        yield call
