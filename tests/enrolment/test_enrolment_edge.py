"""What an engineer at a truck relies on: `asty-edge enrol` and `renew`, against the real server."""

import asyncio
import os
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asty_cloud_api.enrolment import keys
from asty_cloud_api.settings import EnrolmentSettings, Settings
from asty_edge import config as configuration
from asty_edge.cli import main
from asty_edge.enrolment import commands, exchange, keeping
from asty_edge.enrolment.identity import Identity, is_due, load_cert, load_key

CONFIG = """\
[edge]
id = "{edge}"
org = "demo"
kind = "truck"

[uplink]
port = 8883

[uplink.tls]
ca = "tls/ca.pem"
cert = "tls/edge.pem"
key = "tls/edge.key"
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "POLL_S", 0.05)


@pytest.fixture
def truck(town: Any, tmp_path: Path) -> Callable[[str], tuple[Path, Path]]:
    """Return `truck(edge)`: its configuration and a claim's file."""

    def make(edge: str) -> tuple[Path, Path]:
        config, claim = tmp_path / "edge.toml", tmp_path / "claim.pem"
        config.write_text(CONFIG.format(edge=edge))
        claim.write_bytes(town.office.claim(edge, "officer"))
        return config, claim

    return make


@pytest.fixture
def run(http: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return `run(command, …)`: asty-edge's exit code and what it said; enrol is told the town's address."""

    def run(command: str, *arguments: object, url: str | None = None) -> tuple[int, str]:
        where = ("--url", url or str(http.base_url)) if command == "enrol" or url else ()
        with pytest.raises(SystemExit) as end:
            main([command, *map(str, arguments), *where])
        said = capsys.readouterr()
        return int(str(end.value.code)), said.out + said.err

    return run


def approving(town: Any, edge: str) -> threading.Thread:
    """An officer who approves as soon as the request is there."""
    from asty_cloud_api.enrolment.desk import CantBeDoneError

    def wait() -> None:
        for _ in range(2000):
            try:
                return town.approve(edge)
            except CantBeDoneError:
                threading.Event().wait(0.01)
        raise AssertionError("no request came")

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.fixture
def enrolled(town: Any, truck: Any, run: Any) -> Callable[[str], Path]:
    """Return `enrolled(edge)`: the configuration of an edge that has its certificate."""

    def make(edge: str) -> Path:
        config, claim = truck(edge)
        officer = approving(town, edge)
        code, said = run("enrol", "--claim", claim, "--config", config)
        officer.join()
        assert code == 0, said
        return Path(config)

    return make


def identity(config: Path) -> Identity:
    return Identity.of(configuration.load(config))


def test_after_enrolment_the_configured_files_are_there_and_the_agent_can_use_them(town: Any, enrolled: Any, run: Any) -> None:
    config = enrolled("edge-1")
    files = identity(config)
    assert sorted(path.name for path in files.cert.parent.iterdir()) == ["ca.pem", "edge.key", "edge.pem", "enrolment.json"]
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    ssl.create_default_context(cafile=str(files.ca)).load_cert_chain(files.cert, files.key)
    assert run("check", "--config", config)[0] == 0


def test_the_private_key_never_leaves_the_edge(town: Any, truck: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    post = exchange.post
    monkeypatch.setattr(exchange, "post", lambda url, body, ca: (sent.append(body), post(url, body, ca))[1])
    config, claim = truck("edge-2")
    officer = approving(town, "edge-2")
    run("enrol", "--claim", claim, "--config", config)
    officer.join()
    secret = load_key(identity(config).key).private_numbers().private_value
    spent = keys.load_key(claim_key(claim)).private_numbers().private_value
    for number in (secret, spent):
        assert sent
        assert not any(number.to_bytes(32) in body or b"PRIVATE" in body for body in sent)


def claim_key(claim: Path) -> Path:
    lines = claim.read_text()
    path = claim.with_name("claim.key")
    path.write_text(lines[lines.index("-----BEGIN PRIVATE") : lines.index("-----END PRIVATE KEY-----") + 26])
    return path


def test_the_officer_and_the_engineer_see_the_same_fingerprint(town: Any, truck: Any, run: Any) -> None:
    from asty_cloud_api.enrolment import desk
    from sqlalchemy.orm import Session

    config, claim = truck("edge-3")
    officer = approving(town, "edge-3")
    _, said = run("enrol", "--claim", claim, "--config", config)
    officer.join()
    with Session(town.office.engine) as session:
        shown = session.query(desk.Request).filter_by(edge="edge-3").one().fingerprint
    assert shown in said


def test_an_enrolment_that_was_broken_off_goes_on_with_the_same_key(
    town: Any, truck: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, claim = truck("edge-4")
    with monkeypatch.context() as patch:
        patch.setattr(commands.time, "sleep", lambda _seconds: (_ for _ in ()).throw(KeyboardInterrupt))
        code, said = run("enrol", "--claim", claim, "--config", config)
    assert (code, "run the same command again" in said) == (1, True)
    town.approve("edge-4")
    assert run("enrol", "--claim", claim, "--config", config)[0] == 0


def test_a_claim_of_another_edge_is_named_before_anything_is_sent(truck: Any, run: Any, tmp_path: Path) -> None:
    config, claim = truck("edge-5")
    config.write_text(CONFIG.format(edge="edge-6"))
    code, said = run("enrol", "--claim", claim, "--config", config)
    assert (code, "'edge-5'" in said, (tmp_path / "tls").exists()) == (2, True, False)


def test_an_edge_that_is_turned_away_is_told_why_and_keeps_nothing_in_force(town: Any, truck: Any, run: Any) -> None:
    from asty_cloud_api.enrolment import desk
    from sqlalchemy.orm import Session

    config, claim = truck("edge-7")
    signer = commands.read_claim(claim.read_text(), "edge-7")
    key = Identity.of(configuration.load(config, enrolled=False)).waiting_key()
    town.ask("edge-7", signer, key)
    with Session(town.office.engine) as session:
        waiting = desk.waiting_of(session, "edge-7").id
    town.office.refuse(waiting, "officer", "not our truck")
    code, said = run("enrol", "--claim", claim, "--config", config)
    assert (code, "not our truck" in said) == (2, True)
    assert not (config.parent / "tls" / "edge.pem").exists()


@pytest.mark.parametrize(
    "url",
    ["http://town.example.org", "http://192.0.2.1:8400", "ftp://127.0.0.1", "town.gr", "https://", "https://a:b@town.gr", "http://[::1"],
)
def test_an_address_without_tls_is_refused_unless_it_is_this_machine(truck: Any, run: Any, url: str) -> None:
    config, claim = truck("edge-8")
    code, said = run("enrol", "--claim", claim, "--config", config, url=url)
    assert (code, "expected https" in said or "no address" in said) == (2, True)


def test_an_answer_from_another_authority_is_not_taken(town: Any, truck: Any, run: Any, tmp_path: Path) -> None:
    from asty_cloud_api.enrolment.authority import Authority

    config, claim = truck("edge-9")
    foreign = keys.pem(Authority.create("town", "demo", datetime.now(UTC)).cert).decode()
    text = claim.read_text()
    claim.write_text(text[: text.rindex("-----BEGIN CERTIFICATE")] + foreign)
    officer = approving(town, "edge-9")
    code, said = run("enrol", "--claim", claim, "--config", config)
    officer.join()
    assert (code, "another authority" in said, (tmp_path / "tls/edge.pem").exists()) == (2, True, False)


def test_renewal_changes_key_and_certificate_and_the_broker_takes_them(town: Any, enrolled: Any, run: Any) -> None:
    config = enrolled("edge-10")
    files = identity(config)
    old_cert, old_key = files.held()
    assert run("renew", "--config", config)[0] == 0
    new_cert, new_key = files.held()
    assert new_cert.serial_number != old_cert.serial_number
    assert new_key.public_key() != old_key.public_key()
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert town.connect(type(town.signed("any"))(new_cert, new_key)).is_in


def test_a_certificate_is_renewed_when_less_than_a_third_of_its_life_is_left(town: Any) -> None:
    now = datetime.now(UTC)
    cert = town.signed("edge-11", now).cert
    assert not is_due(cert, now + timedelta(days=243))
    assert is_due(cert, now + timedelta(days=244))


def test_renewal_that_is_not_due_does_nothing(enrolled: Any, run: Any) -> None:
    config = enrolled("edge-12")
    before = identity(config).cert.read_bytes()
    assert run("renew", "--due", "--config", config) == (0, "")
    assert identity(config).cert.read_bytes() == before


def test_the_agent_renews_by_itself_when_it_is_due(town: Any, enrolled: Any) -> None:
    config = enrolled("edge-13")
    files = identity(config)
    loaded = configuration.load(config)
    asyncio.run(keeping._renew_if_due(loaded))
    assert load_cert(files.cert).serial_number == files.held()[0].serial_number
    old = _aged(town, files, town.office.engine)
    asyncio.run(keeping._renew_if_due(loaded))
    new, _ = files.held()
    assert new.serial_number != old
    assert not is_due(new, datetime.now(UTC))


async def test_an_agent_that_cannot_look_at_its_certificate_goes_on(
    enrolled: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def no_memory(*_command: str, **_options: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    loaded = configuration.load(await asyncio.to_thread(enrolled, "edge-19"))
    assert keeping._is_enrolled(loaded)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", no_memory)
    await keeping._renew_if_due(loaded)
    assert "Cannot allocate memory" in caplog.text


def test_a_certificate_that_did_not_come_from_the_town_is_left_alone(enrolled: Any) -> None:
    config = enrolled("edge-20")
    identity(config).address_file.unlink()
    assert not keeping._is_enrolled(configuration.load(config))


def _aged(town: Any, files: Identity, engine: Any) -> int:
    """Put a certificate in force that ends in a month, as the office would have given it eleven months ago."""
    from asty_cloud_api.enrolment.desk import serial_text
    from asty_cloud_api.enrolment.models import EdgeCertificate
    from asty_contracts.enrolment import fingerprint
    from sqlalchemy.orm import Session

    now = datetime.now(UTC) - timedelta(days=335)
    key = load_key(files.key)
    cert = town.authority.edge("edge-13", key.public_key(), now)
    with Session(engine) as session, session.begin():
        row = session.query(EdgeCertificate).filter_by(edge="edge-13").one()
        session.delete(row)
        session.flush()
        session.add(
            EdgeCertificate(
                serial=serial_text(cert.serial_number), edge="edge-13", fingerprint=fingerprint(keys.public_bytes(key.public_key())),
                pem=keys.pem(cert).decode(), not_before=cert.not_valid_before_utc, not_after=cert.not_valid_after_utc, issued_at=now,
                request=None, renews=None, revoked_at=None, revoked_by=None, why=None,
            )
        )  # fmt: skip
    files.cert.write_bytes(keys.pem(cert))
    return cert.serial_number


def test_a_revoked_edge_is_told_so_when_it_renews_and_loses_no_file(town: Any, enrolled: Any, run: Any) -> None:
    config = enrolled("edge-14")
    before = identity(config).held()
    town.office.revoke("edge-14", "officer", "sold to another town")
    code, said = run("renew", "--config", config)
    assert (code, "sold to another town" in said) == (2, True)
    assert identity(config).held()[0] == before[0]


@pytest.mark.parametrize("step", range(7))
def test_a_power_cut_at_any_moment_of_a_renewal_leaves_a_pair_that_fits(
    town: Any, enrolled: Any, run: Any, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The machine stops before its n-th change of the disk; afterwards the agent's own renewal puts things right."""
    config = enrolled(f"cut-{step}")
    changes = 0

    class PowerCutError(Exception):
        pass

    replace = Path.replace

    def cut(self: Path, target: Path) -> Path:
        nonlocal changes
        changes += 1
        if changes > step:
            raise PowerCutError
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        with suppress(PowerCutError):
            run("renew", "--config", config)
    assert run("renew", "--config", config)[0] == 0
    cert, _ = identity(config).held()
    assert town.connect(type(town.signed("any"))(cert, load_key(identity(config).key))).is_in


def test_a_full_disk_says_so_and_leaves_the_files_in_force(enrolled: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = enrolled("edge-15")
    before = identity(config).held()[0]

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device", "edge.key.new")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        code, said = run("renew", "--config", config)
    assert (code, "No space left on device" in said) == (1, True)
    assert identity(config).held()[0] == before


def test_a_server_that_is_away_is_asked_again_later(enrolled: Any, run: Any, free_port: Callable[[], int]) -> None:
    config = enrolled("edge-16")
    code, said = run("renew", "--config", config, url=f"http://127.0.0.1:{free_port()}")
    assert (code, "run it again later" in said) == (1, True)


def test_over_https_the_towns_own_authority_is_trusted_and_a_stranger_is_not(town: Any, truck: Any, run: Any, serve: Any) -> None:
    settings = Settings(org="demo", dsn=town.dsn, enrolment=EnrolmentSettings(town.folder.path))
    https = str(serve(settings, town.folder.broker / "broker").base_url)
    config, claim = truck("edge-17")
    officer = approving(town, "edge-17")
    assert run("enrol", "--claim", claim, "--config", config, url=https)[0] == 0
    officer.join()
    (config.parent / "tls" / "ca.pem").write_bytes(keys.pem(town.folder.claims().cert))
    code, said = run("renew", "--config", config, url=https)
    assert (code, "is not the town's server" in said) == (2, True)


def test_the_agent_does_not_load_the_certificate_library(enrolled: Any) -> None:
    program = "import sys, asty_edge.agent, asty_edge.cli, asty_edge.enrolment; sys.exit('cryptography.x509' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_address_that_is_no_towns_is_named(enrolled: Any, run: Any, http: Any) -> None:
    config = enrolled("edge-18")
    code, said = run("renew", "--config", config, url=f"{http.base_url}/nothing/here")
    assert (code, "check the address" in said) == (2, True)
