"""The municipality's directory: the whole way in through the application, against the strict stand-in of the citizens' services."""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from asty_citizen_services.identity.oidc_double import EMPLOYEES, Registered
from asty_citizen_services.identity.oidc_double import create_app as create_directory
from asty_cloud_api import database
from asty_cloud_api.main import create_app
from asty_cloud_api.settings import OidcSettings, Settings
from asty_cloud_api.staff import accounts
from asty_cloud_api.staff.directory import CALLBACK
from asty_cloud_api.staff.models import StaffAccount
from asty_cloud_api.staff.roles import Role
from sqlalchemy import select
from sqlalchemy.orm import Session

ADDRESS = "http://asty"


@pytest.fixture(scope="module")
def issuer(free_port: Callable[[], int], eventually: Callable[..., object]) -> Iterator[str]:
    port = free_port()
    app = create_directory(Registered("asty", "hush", ADDRESS + CALLBACK), f"http://localhost:{port}")
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://localhost:{port}"
    server.should_exit = True
    thread.join()


def a_browser(fleet: Any, issuer: str) -> httpx.AsyncClient:
    app = create_app(Settings("demo", fleet.dsn, address=ADDRESS, oidc=OidcSettings(issuer, "asty", "hush")))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS)


async def chosen(browser: httpx.AsyncClient, issuer: str, person: int) -> str:
    """Go to the directory, choose a person there, and return the address at which the browser comes back."""
    away = await browser.get("/sign-in/directory?next=/board")
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        page = await elsewhere.get(away.headers["location"])
        link = re.findall(r'href="(/person/\d+\?asked=[^"]+)"', page.text)[person]
        return str((await elsewhere.get(issuer + link)).headers["location"])


async def test_who_has_an_account_comes_in_is_bound_to_the_directory_and_a_stranger_does_not(fleet: Any, issuer: str) -> None:
    one = EMPLOYEES[0]
    engine = database.writing(fleet.dsn)
    with Session(engine) as session, session.begin():
        accounts.add(session, one.username, one.name, [Role.DISPATCHER], email=one.email)
    async with a_browser(fleet, issuer) as browser:
        back = await chosen(browser, issuer, 0)
        entered = await browser.get(back)
        assert (entered.status_code, entered.headers["location"]) == (303, "/board")
        assert "staff" in browser.cookies
        assert (await browser.get("/api/closures")).status_code == 200
        again = await browser.get(back)
        assert (again.status_code, "δεν επιβεβαίωσε" in again.text) == (422, True), "an answer of the directory is good for once"
    with Session(engine) as session:
        assert session.scalars(select(StaffAccount.subject)).all() == [one.subject]
    async with a_browser(fleet, issuer) as stranger:
        refused = await stranger.get(await chosen(stranger, issuer, 1))
        assert (refused.status_code, "δεν έχετε λογαριασμό" in refused.text) == (422, True)
        assert "staff" not in stranger.cookies
    engine.dispose()


async def test_an_answer_that_another_browser_asked_for_signs_nobody_in(fleet: Any, issuer: str) -> None:
    async with a_browser(fleet, issuer) as mine, a_browser(fleet, issuer) as theirs:
        back = await chosen(mine, issuer, 0)
        assert (await theirs.get(back)).status_code == 422
        assert "staff" not in theirs.cookies


async def test_a_directory_that_is_away_is_said_so_and_the_passphrase_is_still_there(fleet: Any, free_port: Callable[[], int]) -> None:
    async with a_browser(fleet, f"http://localhost:{free_port()}") as browser:
        page = await browser.get("/sign-in/directory")
        assert "δεν απαντά" in page.text
        assert 'name="passphrase"' in page.text
