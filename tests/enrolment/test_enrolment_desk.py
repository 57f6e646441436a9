"""What the enrolment address grants and refuses, over HTTP with a real PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from asty_cloud_api.enrolment import keys
from asty_cloud_api.enrolment.authority import Authority
from asty_cloud_api.settings import EnrolmentSettings, Settings
from asty_contracts.enrolment import MAX_BODY, PATH
from asty_edge.enrolment.request import Signer, body
from cryptography import x509
from cryptography.hazmat.primitives import hashes

Change = Callable[..., bytes]
NO_CERTIFICATE = rb"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


def ask(http: httpx.Client, request: bytes) -> tuple[int, dict[str, Any]]:
    answer = http.post(PATH, content=request)
    return answer.status_code, answer.json()


def test_an_edge_waits_until_an_officer_approves_and_then_gets_its_certificate(http: httpx.Client, town: Any) -> None:
    signer, key = town.claim("truck-1"), keys.new_key()
    request = body(key, "truck-1", "demo", signer)
    status, answer = ask(http, request)
    assert (status, answer["state"], "cert" in answer) == (200, "waiting", False)
    town.approve("truck-1")
    cert = x509.load_pem_x509_certificate(ask(http, request)[1]["cert"].encode())
    assert cert.public_key() == key.public_key()
    assert cert.subject.rfc4514_string() == "CN=truck-1,O=demo"
    assert timedelta(days=364) < cert.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=365)
    cert.verify_directly_issued_by(town.authority.cert)


def test_the_fingerprint_is_the_same_at_both_ends(http: httpx.Client, town: Any) -> None:
    from asty_edge.enrolment.identity import fingerprint_of

    key = keys.new_key()
    _, answer = ask(http, body(key, "truck-2", "demo", town.claim("truck-2")))
    assert answer["fingerprint"] == fingerprint_of(key.public_key())


def test_asking_again_with_the_same_key_is_the_same_request_and_one_certificate(http: httpx.Client, town: Any) -> None:
    signer, key = town.claim("truck-3"), keys.new_key()
    ask(http, body(key, "truck-3", "demo", signer))
    town.approve("truck-3")
    first, second = (ask(http, body(key, "truck-3", "demo", signer))[1]["cert"] for _ in range(2))
    assert first == second


def test_a_claim_is_good_for_one_key_only(http: httpx.Client, town: Any) -> None:
    signer = town.claim("truck-4")
    assert ask(http, body(keys.new_key(), "truck-4", "demo", signer))[0] == 200
    status, answer = ask(http, body(keys.new_key(), "truck-4", "demo", signer))
    assert (status, "used already" in answer["error"]) == (409, True)


def test_a_request_for_another_edge_than_the_claims_is_refused(http: httpx.Client, town: Any) -> None:
    status, answer = ask(http, body(keys.new_key(), "truck-1", "demo", town.claim("truck-5")))
    assert (status, "'truck-1'" in answer["error"]) == (403, True)


def test_a_request_of_another_town_is_refused(http: httpx.Client, town: Any) -> None:
    status, answer = ask(http, body(keys.new_key(), "truck-6", "volos", town.claim("truck-6")))
    assert (status, "'volos'" in answer["error"]) == (403, True)


def test_a_request_that_was_changed_on_its_way_is_refused(http: httpx.Client, town: Any, change: Change) -> None:
    signer = town.claim("truck-7")
    request = body(keys.new_key(), "truck-7", "demo", signer)
    other = msgspec.json.decode(body(keys.new_key(), "truck-7", "demo", signer))
    assert ask(http, change(request, csr=other["csr"]))[0] == 401
    assert ask(http, change(request, sig=other["sig"]))[0] == 401
    assert ask(http, request)[0] == 200


def test_a_certificate_request_made_for_a_key_that_its_sender_does_not_have_is_refused(http: httpx.Client, town: Any) -> None:
    """A request whose own signature is broken, though the claim's signature over it is right."""
    import base64

    from asty_contracts.enrolment import signed_bytes
    from cryptography.hazmat.primitives.asymmetric import ec

    signer = town.claim("truck-8")
    csr = msgspec.json.decode(body(keys.new_key(), "truck-8", "demo", signer))["csr"]
    der = bytearray(base64.b64decode("".join(csr.splitlines()[1:-1])))
    der[-1] ^= 1
    broken = f"-----BEGIN CERTIFICATE REQUEST-----\n{base64.encodebytes(bytes(der)).decode()}-----END CERTIFICATE REQUEST-----\n"
    signature = signer.key.sign(signed_bytes(broken), ec.ECDSA(hashes.SHA256()))
    status, answer = ask(http, msgspec.json.encode({"csr": broken, "cert": signer.cert, "sig": signature}))
    assert (status, "changed after it was signed" in answer["error"]) == (401, True)


def forged(cert: x509.Certificate) -> Signer:
    """The same certificate down to its serial, for a key of the forger's own, signed by an authority of the same name."""
    key, authority = keys.new_key(), Authority.create("claims", "demo", datetime.now(UTC))
    builder = x509.CertificateBuilder(
        cert.issuer, cert.subject, key.public_key(), cert.serial_number, cert.not_valid_before_utc, cert.not_valid_after_utc
    )  # fmt: skip
    return Signer(keys.pem(builder.sign(authority.key, hashes.SHA256())).decode(), key, "")


def test_a_claim_forged_down_to_its_serial_is_refused(http: httpx.Client, town: Any) -> None:
    claim = x509.load_pem_x509_certificate(town.claim("truck-9").cert.encode())
    assert ask(http, body(keys.new_key(), "truck-9", "demo", forged(claim)))[0] == 401


def test_a_certificate_forged_down_to_its_serial_renews_nothing(http: httpx.Client, town: Any) -> None:
    assert ask(http, body(keys.new_key(), "truck-18", "demo", forged(town.enrolled("truck-18").cert)))[0] == 401


def test_a_claim_that_the_office_never_made_is_refused_though_its_authority_signed_it(http: httpx.Client, town: Any) -> None:
    key = keys.new_key()
    unknown = town.folder.claims().claim("truck-9", key.public_key(), datetime.now(UTC))
    assert ask(http, body(keys.new_key(), "truck-9", "demo", Signer(keys.pem(unknown).decode(), key, "")))[0] == 401


def test_a_newer_claim_ends_the_older_one(http: httpx.Client, town: Any) -> None:
    old, new = town.claim("truck-10"), town.claim("truck-10")
    assert ask(http, body(keys.new_key(), "truck-10", "demo", old))[0] == 409
    assert ask(http, body(keys.new_key(), "truck-10", "demo", new))[0] == 200


def test_a_claim_ends_after_seven_days_but_a_request_made_in_time_is_still_answered(
    http: httpx.Client, town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asty_cloud_api.enrolment import office

    in_time, too_late = town.claim("truck-11"), town.claim("truck-12")
    request = body(keys.new_key(), "truck-11", "demo", in_time)
    assert ask(http, request)[0] == 200
    monkeypatch.setattr(office, "_now", lambda: datetime.now(UTC) + timedelta(days=8))
    assert ask(http, request)[0] == 200
    status, answer = ask(http, body(keys.new_key(), "truck-12", "demo", too_late))
    assert (status, "expired" in answer["error"]) == (401, True)


def test_an_edge_that_was_turned_away_hears_why(http: httpx.Client, town: Any) -> None:
    from asty_cloud_api.enrolment import desk
    from sqlalchemy.orm import Session

    request = body(keys.new_key(), "truck-13", "demo", town.claim("truck-13"))
    ask(http, request)
    with Session(town.office.engine) as session:
        waiting = desk.waiting_of(session, "truck-13").id
    town.office.refuse(waiting, "officer", "the fingerprints differ")
    status, answer = ask(http, request)
    assert (status, "the fingerprints differ" in answer["error"]) == (403, True)


def test_an_edge_renews_with_the_certificate_that_it_holds_and_needs_no_officer(http: httpx.Client, town: Any) -> None:
    held, key = town.enrolled("truck-14"), keys.new_key()
    request = body(key, "truck-14", "demo", held.signer)
    status, answer = ask(http, request)
    new = x509.load_pem_x509_certificate(answer["cert"].encode())
    assert (status, new.public_key() == key.public_key(), new.subject) == (200, True, held.cert.subject)
    assert ask(http, request)[1]["cert"] == answer["cert"]
    assert ask(http, body(keys.new_key(), "truck-14", "demo", held.signer))[0] == 409, "a copied certificate would renew for ever"


def test_a_revoked_or_expired_certificate_renews_nothing(http: httpx.Client, town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from asty_cloud_api.enrolment import office

    revoked, expired = town.enrolled("truck-15"), town.enrolled("truck-16")
    town.office.revoke("truck-15", "officer", "stolen")
    status, answer = ask(http, body(keys.new_key(), "truck-15", "demo", revoked.signer))
    assert (status, "stolen" in answer["error"]) == (403, True)
    monkeypatch.setattr(office, "_now", lambda: datetime.now(UTC) + timedelta(days=366))
    assert ask(http, body(keys.new_key(), "truck-16", "demo", expired.signer))[0] == 401


def test_an_edge_cannot_renew_into_another_name(http: httpx.Client, town: Any) -> None:
    assert ask(http, body(keys.new_key(), "truck-1", "demo", town.enrolled("truck-17").signer))[0] == 403


def test_ingests_certificate_enrols_nobody(http: httpx.Client, town: Any) -> None:
    assert ask(http, body(keys.new_key(), "asty-ingest", "demo", town.service("asty-ingest").signer))[0] == 401


@pytest.mark.parametrize("edge", ["asty-ingest", "asty-stream-2", "claim-truck-1", "Truck", "truck/1", "truck+1", "#", ""])
def test_no_claim_is_made_for_a_name_that_would_get_the_rights_of_another(town: Any, edge: str) -> None:
    from asty_cloud_api.enrolment.desk import CantBeDoneError

    with pytest.raises(CantBeDoneError, match="can't name an edge"):
        town.office.claim(edge, "officer")


@pytest.mark.parametrize(
    "request_body",
    [b"", b"{}", b"[1]", b"\xff", b'{"csr":"","cert":"","sig":""}', b'{"csr":"x","cert":"%s","sig":"AA=="}' % NO_CERTIFICATE, b"[" * 4000],
    ids=["nothing", "no fields", "a list", "no text", "empty", "no certificate", "deep"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_to_do(http: httpx.Client, request_body: bytes) -> None:
    status, answer = ask(http, request_body)
    assert (status, bool(answer["error"] and answer["advice"])) == (422, True)


def test_a_request_that_is_too_long_is_not_read_to_its_end(http: httpx.Client) -> None:
    assert ask(http, b"x" * (MAX_BODY + 1))[0] == 413


def test_a_server_without_authorities_says_that_enrolment_is_not_set_up(serve: Any, town: Any, tmp_path: Any) -> None:
    for enrolment in (None, EnrolmentSettings(tmp_path / "none")):
        assert ask(serve(Settings(org="demo", dsn=town.dsn, enrolment=enrolment)), b"{}")[0] == 503
