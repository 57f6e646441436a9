"""The contract with TaxisNet's OAuth 2.0: the adapter against the stand-in, and the stand-in's strictness."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import uvicorn
from asty_citizen_services.identity.taxisnet import LoginAwayError, LoginRefusedError, TaxisNet, read_person
from asty_citizen_services.identity.taxisnet_double import PERSONS, Client, as_xml, create_app
from asty_citizen_services.settings import TaxisNetSettings
from stdnum.gr import vat

BACK = "http://localhost:8420/sign-in/taxisnet/return"


@pytest.fixture(scope="module")
def host(free_port: Callable[[], int], eventually: Callable[..., object]) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(Client("demo", "hush", BACK)), port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


Login = Callable[..., TaxisNet]


@pytest.fixture
def login(host: str) -> Iterator[Login]:
    """Return a maker of adapters, which are closed at the end."""
    with ExitStack() as stack:

        def make(
            address: str = host, *, client: str = "demo", secret: str = "hush", back: str = BACK, realm: str = "oauth2server"
        ) -> TaxisNet:
            return stack.enter_context(closing(TaxisNet(TaxisNetSettings(address, client, secret, realm), back)))

        yield make


def code_of(host: str, login: Login, person: int = 0, realm: str = "oauth2server") -> str:
    """Sign in as a test person in the way that a browser does, and return the code."""
    page = httpx.get(login(realm=realm).address("the-state"), trust_env=False)
    assert page.status_code == 200
    assert "ΔΕΝ είναι το TaxisNet" in page.text
    back = httpx.get(f"{host}/{realm}/person/{person}?{urlencode({'state': 'the-state'})}", trust_env=False).headers["location"]
    assert back.startswith(BACK)
    said = parse_qs(urlsplit(back).query)
    assert said["state"] == ["the-state"]
    return said["code"][0]


@pytest.mark.parametrize("realm", ["oauth2server", "oauth2serverotp"])
def test_a_code_is_traded_once_for_the_person_who_signed_in(host: str, login: Login, realm: str) -> None:
    code = code_of(host, login, 1, realm)
    assert login(realm=realm).person(code) == PERSONS[1]
    with pytest.raises(LoginRefusedError, match="invalid_grant"):
        login(realm=realm).person(code)


def test_a_wrong_secret_client_or_address_gets_nothing(host: str, login: Login) -> None:
    with pytest.raises(LoginRefusedError, match="invalid_client"):
        login(secret="wrong").person(code_of(host, login))
    with pytest.raises(LoginRefusedError, match="invalid_grant"):
        login(back="http://localhost:8420/elsewhere").person(code_of(host, login))
    for wrong in (login(client="other"), login(back="http://evil.example/")):
        assert httpx.get(wrong.address("s"), trust_env=False).status_code in (400, 401)


def test_a_provider_that_does_not_answer_is_told_from_one_that_refuses(free_port: Callable[[], int], login: Login) -> None:
    with pytest.raises(LoginAwayError):
        login(f"http://127.0.0.1:{free_port()}").person("code")


def test_whoever_signs_out_comes_back_to_us(login: Login) -> None:
    answer = httpx.get(login().sign_out_address("http://localhost:8420"), trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "http://localhost:8420")


@pytest.mark.parametrize("person", PERSONS, ids=lambda one: one.taxid)
def test_padding_and_entities_are_read_and_a_tax_number_keeps_its_zeros(person: object) -> None:
    assert read_person(as_xml(person)) == person  # type: ignore[arg-type]
    assert vat.is_valid(person.taxid)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "body",
    [
        as_xml(PERSONS[0]).replace(PERSONS[0].taxid.encode(), b"000000000"),
        as_xml(PERSONS[0]).replace(PERSONS[0].taxid.encode(), b"000000019"),
        b"<root></root>",
        b"<html>maintenance",
        b'<!DOCTYPE r [<!ENTITY a "aaaa">]><root><userinfo taxid="&a;"/></root>',
    ],
    ids=["nobody", "wrong-check-digit", "empty", "no-xml", "entity-bomb"],
)
def test_what_is_no_person_signs_nobody_in(body: bytes) -> None:
    with pytest.raises(LoginAwayError):
        read_person(body)


def test_an_error_in_json_is_a_refusal() -> None:
    with pytest.raises(LoginRefusedError, match="expired"):
        read_person(b'{"error":"invalid_token","error_description":"Access token expired"}')


def test_the_stand_in_does_not_start_in_production(municipality: object) -> None:
    municipality.environment |= {  # type: ignore[attr-defined]
        "ASTY_PRODUCTION": "1",
        "ASTY_CITIZEN_ADDRESS": "https://polites.example.gr",
        "ASTY_CITIZEN_TAXISNET_ADDRESS": "http://localhost:1",
        "ASTY_CITIZEN_TAXISNET_CLIENT": "demo",
        "ASTY_CITIZEN_TAXISNET_SECRET": "hush",
    }
    done = municipality.run("double", "taxisnet", "--port", "1")  # type: ignore[attr-defined]
    assert done.returncode == 1
    assert "does not start with ASTY_PRODUCTION" in done.stderr
