"""Each way of signing gives a signature that holds: a key file, a remote service by its own protocol, a file signed elsewhere."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from asn1crypto import x509
from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.compose import Letterhead, compose
from asty_citizen_services.documents.demo_ca import DemoAuthority
from asty_citizen_services.documents.facts import facts
from asty_citizen_services.documents.models import SigningProfile
from asty_citizen_services.documents.remote import CscSigner, Service
from asty_citizen_services.documents.remote_double import Credential, create_app
from asty_citizen_services.documents.signing import Mark, NotSignedError, Signer, from_pkcs12_data
from asty_citizen_services.documents.verify import signatures
from asty_citizen_services.procedures.catalogue import OWN
from cryptography.hazmat.primitives.serialization import Encoding

MARK = Mark("Πέτρος Δοκιμαστικός", "Προϊστάμενος", "Έκδοση")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    made = DemoAuthority(tmp_path_factory.mktemp("ca"), production=False)
    made.prepare(NOW)
    return made


@pytest.fixture(scope="module")
def roots(authority: DemoAuthority) -> list[x509.Certificate]:
    return [x509.Certificate.load(authority.certificate.public_bytes(Encoding.DER))]


@pytest.fixture(scope="module")
def key(authority: DemoAuthority) -> bytes:
    return authority.issue(MARK.name, MARK.office, "pass", NOW)


@pytest.fixture(scope="module")
def paper() -> bytes:
    said = facts({}, {}, applicant="Μ", filed="1/2026", out="2/2026", reason="", test_data=True, service={}, place={})
    head = Letterhead("Δήμος Δοκιμής", "Δημοτολόγιο", "https://polites.example.gr")
    return compose(
        OWN / "vevaiosi-monimis-katoikias" / "documents", "document", said, head, "7Q2M4X8K1N5P3R6T", NOW, ZoneInfo("Europe/Athens")
    )


@pytest.fixture(scope="module")
def service(key: bytes, free_port: Callable[[], int], eventually: Callable[..., object]) -> Iterator[str]:
    port = free_port()
    app = create_app(Credential("cred-1", key, "pass", "token", "1234"), production=False)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(params=["pkcs12", "csc"])
def signer(request: pytest.FixtureRequest, key: bytes, service: str) -> Signer:
    if request.param == "pkcs12":
        return from_pkcs12_data(key, "pass")
    return CscSigner(Service(service, "cred-1", "token"), "1234")


async def test_a_signature_is_whole_trusted_and_covers_everything(signer: Signer, paper: bytes, roots: Any) -> None:
    [one] = await signatures(await signer.sign(paper, MARK, "signature_1"), roots)
    assert (one.name, one.whole, one.trusted, one.covers_all) == (MARK.name, True, True, True)


async def test_two_ways_sign_one_paper_in_sequence(signer: Signer, key: bytes, paper: bytes, roots: Any) -> None:
    once = await from_pkcs12_data(key, "pass").sign(paper, MARK, "signature_1")
    assert [one.whole for one in await signatures(await signer.sign(once, MARK, "signature_2"), roots)] == [True, True]


@pytest.mark.parametrize(
    ("credential", "token", "pin"), [("cred-1", "token", "9999"), ("cred-1", "stolen", "1234"), ("cred-2", "token", "1234")]
)
async def test_a_wrong_pin_token_or_credential_signs_nothing(service: str, paper: bytes, credential: str, token: str, pin: str) -> None:
    with pytest.raises(NotSignedError):
        await CscSigner(Service(service, credential, token), pin).sign(paper, MARK, "signature_1")


def test_the_stand_in_for_the_service_does_not_start_in_production(key: bytes) -> None:
    with pytest.raises(ValueError, match="ASTY_PRODUCTION"):
        create_app(Credential("c", key, "pass", "t", "p"), production=True)


async def test_a_file_signed_elsewhere_is_taken_only_with_a_good_signature_on_our_own_bytes(key: bytes, paper: bytes, roots: Any) -> None:
    signed = await from_pkcs12_data(key, "pass").sign(paper, MARK, "signature_1")
    assert MARK.name in await profiles._check(paper, signed, 0, roots)
    for wrong, authorities in ((paper, roots), (b"%PDF-1.7 other", roots), (signed[:-200], roots), (signed, [])):
        with pytest.raises(NotSignedError):
            await profiles._check(paper, wrong, 0, authorities)


def test_a_card_that_is_not_there_says_so() -> None:
    profile = SigningProfile(kind="pkcs11", config={"module": "/nowhere.so", "token": "t", "label": "l"})
    import asyncio

    with pytest.raises(NotSignedError, match="card"):
        asyncio.run(profiles.opened(profile, "1234", None).sign(b"", MARK, "signature_1"))
