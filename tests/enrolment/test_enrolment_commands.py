"""`asty enrol`, as an officer runs it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from asty_cloud_api.cli import main
from asty_cloud_api.enrolment import keys


@dataclass(frozen=True)
class Done:
    """What a command ended with."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def enrol(town: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Return `enrol(…)`: runs the command, told of the town's database, folder and broker."""
    broker = town.office.broker
    environment = {
        "ASTY_ORG": "demo", "ASTY_DATABASE_DSN": town.dsn, "ASTY_CA_FOLDER": str(town.folder.path), "ASTY_BROKER_HOST": broker.host,
        "ASTY_BROKER_PORT": str(broker.port), "ASTY_BROKER_PID_FILE": str(broker.pid_file),
    }  # fmt: skip

    def run(*arguments: str, **more: str) -> Done:
        with monkeypatch.context() as patch:
            for name, value in (environment | more).items():
                patch.setenv(name, value)
            complaint: object = None
            try:
                main(["enrol", *arguments])
            except SystemExit as end:
                complaint = end.code
        said = capsys.readouterr()
        return Done(0 if complaint is None else 1, said.out, said.err + str(complaint or ""))

    return run


def states(enrol: Any) -> dict[str, str]:
    return {row["edge"]: row["state"] for row in json.loads(enrol("list", "--json").stdout)}


def test_an_edge_goes_from_claim_to_revocation_by_commands_alone(town: Any, enrol: Any, tmp_path: Path) -> None:
    from asty_edge.enrolment.identity import fingerprint_of
    from asty_edge.enrolment.request import read_claim

    path = tmp_path / "claim.pem"
    assert enrol("claim", "--edge", "truck-1", "--out", str(path)).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert states(enrol)["truck-1"] == "claimed"
    signer, key = read_claim(path.read_text(), "truck-1"), keys.new_key()
    town.ask("truck-1", signer, key)
    assert states(enrol)["truck-1"] == "waiting"
    assert enrol("approve", "truck-1", "--fingerprint", fingerprint_of(key.public_key())).returncode == 0
    assert states(enrol)["truck-1"] == "valid"
    assert town.ask("truck-1", signer, key).state == "approved"
    done = enrol("revoke", "truck-1", "--why", "sold")
    assert (done.returncode, "has cut it off" in done.stdout) == (0, True)
    assert states(enrol)["truck-1"] == "revoked"


def test_nobody_is_let_in_by_a_wrong_fingerprint_or_without_an_answer(town: Any, enrol: Any) -> None:
    town.ask("truck-2", town.claim("truck-2"), keys.new_key())
    for wrong in (("--fingerprint", "0000-0000"), ()):
        done = enrol("approve", "truck-2", *wrong)
        assert (done.returncode, "nothing was changed" in done.stderr) == (1, True)
    assert states(enrol)["truck-2"] == "waiting"


def test_an_edge_that_is_turned_away_is_listed_so(town: Any, enrol: Any) -> None:
    town.ask("truck-3", town.claim("truck-3"), keys.new_key())
    assert enrol("refuse", "truck-3", "--why", "unknown").returncode == 0
    assert states(enrol)["truck-3"] == "refused"


def test_a_broker_that_is_away_is_said_and_the_revocation_stands(town: Any, enrol: Any, free_port: Any) -> None:
    town.enrolled("truck-4")
    done = enrol("revoke", "truck-4", "--why", "lost", ASTY_BROKER_PORT=str(free_port()))
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)
    assert states(enrol)["truck-4"] == "revoked"
    done = enrol("revoke", "truck-4", "--why", "lost")
    assert (done.returncode, "has cut it off" in done.stdout) == (0, True)


@pytest.mark.parametrize("arguments", [("approve", "truck-99"), ("refuse", "truck-99", "--why", "x"), ("revoke", "truck-99", "--why", "x")])
def test_an_unknown_edge_is_named(enrol: Any, arguments: tuple[str, ...]) -> None:
    done = enrol(*arguments)
    assert (done.returncode, "truck-99" in done.stderr) == (1, True)


def test_without_authorities_it_says_how_to_make_them(enrol: Any, tmp_path: Path) -> None:
    done = enrol("claim", "--edge", "truck-5", ASTY_CA_FOLDER=str(tmp_path))
    assert (done.returncode, "asty enrol prepare" in done.stderr) == (1, True)


def test_publishing_again_is_harmless(town: Any, enrol: Any) -> None:
    assert enrol("publish").returncode == 0
    assert town.connect(town.enrolled("truck-6")).is_in
