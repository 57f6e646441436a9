"""The contract with a municipality's directory: the adapter against the stand-in, the stand-in's strictness, and the whole way in."""

import re
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from asty_citizen_services.identity import accounts
from asty_citizen_services.identity.models import Staff
from asty_citizen_services.identity.oidc import Directory, DirectoryAwayError, DirectoryRefusedError
from asty_citizen_services.identity.oidc_double import EMPLOYEES, Registered, create_app
from asty_citizen_services.settings import OidcSettings
from sqlalchemy import select

NONCE, VERIFIER = "n" * 43, "v" * 43


@pytest.fixture(scope="module")
def back(free_port: Callable[[], int]) -> str:
    return f"http://localhost:{free_port()}/staff/sign-in/directory/return"


@pytest.fixture(scope="module")
def issuer(back: str, free_port: Callable[[], int], eventually: Callable[..., object]) -> Iterator[str]:
    port = free_port()
    address = f"http://localhost:{port}"
    app = create_app(Registered("demo", "hush", back), address)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield address
    server.should_exit = True
    thread.join()


@pytest.fixture
def directory(issuer: str, back: str) -> Directory:
    return Directory(OidcSettings(issuer, "demo", "hush"), back)


def code_of(directory: Directory, person: int = 0) -> str:
    """Choose a person as a browser does, and return the code."""
    address = directory.address("the-state", NONCE, VERIFIER)
    with httpx.Client(trust_env=False) as http:
        page = http.get(address)
        assert "ΔΕΝ είναι ο κατάλογος" in page.text
        link = re.findall(r'href="(/person/\d+\?asked=[^"]+)"', page.text)[person]
        host = urlsplit(address)
        location = http.get(f"{host.scheme}://{host.netloc}{link}").headers["location"]
    said = parse_qs(urlsplit(location).query)
    assert said["state"] == ["the-state"]
    return said["code"][0]


def test_a_code_is_traded_once_for_the_account_that_signed_in(directory: Directory) -> None:
    code = code_of(directory, 1)
    account = directory.account(code, NONCE, VERIFIER)
    assert (account.subject, account.email) == (EMPLOYEES[1].subject, EMPLOYEES[1].email)
    with pytest.raises(DirectoryRefusedError):
        directory.account(code, NONCE, VERIFIER)


def test_a_code_that_another_browser_asked_for_signs_nobody_in(directory: Directory) -> None:
    with pytest.raises(DirectoryRefusedError):
        directory.account(code_of(directory), NONCE, "w" * 43)


def test_an_identity_token_for_another_sign_in_is_refused(directory: Directory) -> None:
    with pytest.raises(DirectoryRefusedError, match="another sign-in"):
        directory.account(code_of(directory), "m" * 43, VERIFIER)


def test_a_client_with_a_wrong_secret_is_refused(issuer: str, back: str, directory: Directory) -> None:
    with pytest.raises(DirectoryRefusedError):
        Directory(OidcSettings(issuer, "demo", "loud"), back).account(code_of(directory), NONCE, VERIFIER)


def test_a_token_is_not_taken_for_another_client(issuer: str, back: str) -> None:
    """The double has one client; an adapter that expects another audience must not take what it gets."""
    directory = Directory(OidcSettings(issuer, "demo", "hush"), back)
    code = code_of(directory)
    directory._settings = OidcSettings(issuer, "other", "hush")  # what it checks with
    with pytest.raises(DirectoryRefusedError):
        directory.account(code, NONCE, VERIFIER)


def test_a_directory_that_is_away_is_told_apart(back: str, free_port: Callable[[], int]) -> None:
    with pytest.raises(DirectoryAwayError):
        Directory(OidcSettings(f"http://localhost:{free_port()}", "demo", "hush"), back).address("s", NONCE, VERIFIER)


@pytest.mark.parametrize("wrong", ["client_id=other", "redirect_uri=http://evil.example/"])
def test_the_stand_in_sends_nobody_to_a_strange_address(issuer: str, wrong: str) -> None:
    answer = httpx.get(f"{issuer}/authorize?{wrong}&response_type=code&scope=openid&state=s&nonce=n", trust_env=False)
    assert answer.status_code == 400


def test_an_officer_comes_in_by_the_directory_and_a_stranger_does_not(
    municipality: Any, start: Callable[..., Any], free_port: Callable[[], int]
) -> None:
    port, directory = free_port(), free_port()
    environment = {
        **municipality.environment, "ASTY_CITIZEN_PORT": str(port), "ASTY_CITIZEN_OIDC_ISSUER": f"http://localhost:{directory}",
        "ASTY_CITIZEN_OIDC_CLIENT": "demo", "ASTY_CITIZEN_OIDC_SECRET": "hush",
    }  # fmt: skip
    start("double", "directory", "--port", str(directory), port=directory, environment=environment).wait(200)
    web = start("serve", port=port, environment=environment)
    web.wait(200)
    with municipality.database.begin() as session:
        one = EMPLOYEES[0]
        made = accounts.add(session, username=one.username, name=one.name, email=one.email, by="test", now=datetime.now(UTC))
    assert _come_in(web.url, directory, 0).url.path == "/staff"
    assert _come_in(web.url, directory, 1).status_code == 403
    with municipality.database.begin() as session:
        assert session.get_one(Staff, made).oidc_subject == EMPLOYEES[0].subject
        accounts.shut(session, made, by="test", now=datetime.now(UTC))
    assert _come_in(web.url, directory, 0).status_code == 403
    with municipality.database.begin() as session:
        assert session.scalars(select(Staff.id)).all() == [made]
        assert isinstance(made, uuid.UUID)


def _come_in(url: str, directory: int, person: int) -> httpx.Response:
    with httpx.Client(base_url=url, follow_redirects=True, trust_env=False) as http:
        page = http.get("/staff/sign-in/directory?next=/staff")
        link = re.findall(r'href="(/person/\d+\?asked=[^"]+)"', page.text)[person]
        return http.get(f"http://localhost:{directory}{link}")


def test_the_stand_in_does_not_start_in_production(municipality: Any) -> None:
    municipality.environment |= {"ASTY_PRODUCTION": "1", "ASTY_CITIZEN_ADDRESS": "https://polites.example.gr"}
    try:
        done = municipality.run("double", "directory", "--port", "1")
        town = municipality.run("demo-town", "/nowhere")
    finally:
        del municipality.environment["ASTY_PRODUCTION"], municipality.environment["ASTY_CITIZEN_ADDRESS"]
    assert done.returncode == 1
    assert "ASTY_PRODUCTION" in done.stderr
    assert town.returncode == 1
    assert "ASTY_PRODUCTION" in town.stderr
