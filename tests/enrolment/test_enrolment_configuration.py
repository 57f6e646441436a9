"""The generated configuration of the broker, and the town's certificates."""

import argparse
import re
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest
from asty_appliance.home import Home
from asty_appliance.program import Program
from asty_appliance.security import commands as security_commands
from asty_appliance.security import settings
from asty_appliance.security.commands import broker
from asty_appliance.security.door import Door
from asty_appliance.security.mosquitto import Plain, PlainTextError, access, configuration, instances
from asty_appliance.security.settings import SecuritySettingsError
from asty_appliance.servers import mqtt
from asty_appliance.supervision import Supervision
from asty_appliance.town import executable
from asty_cloud_api import settings as cloud_settings
from asty_cloud_api.enrolment import authority, keys
from asty_cloud_api.enrolment import commands as cloud_commands
from asty_cloud_api.enrolment.authority import Authority, NoAuthorityError, Revoked
from asty_cloud_api.enrolment.broker import Broker, short_lived
from asty_cloud_api.enrolment.folder import Folder, WrongNameError
from asty_cloud_api.settings import LEAST_CODE
from click.testing import CliRunner
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SERVICES = ["asty-ingest", "asty-stream"]


def test_plain_text_is_refused_in_production() -> None:
    with pytest.raises(PlainTextError, match="ASTY_PRODUCTION"):
        configuration(Plain(1883), PurePosixPath("/data"), production=True)


def test_without_production_plain_text_listens_on_this_machine_only() -> None:
    lines = configuration(Plain(1883), PurePosixPath("/data"), production=False).splitlines()
    assert [line for line in lines if line.startswith("listener")] == ["listener 1883 127.0.0.1"]


def test_the_deployments_files_are_what_the_appliance_would_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(broker, ["config", "--org", "demo", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    for name in ("mosquitto.conf", "acl"):
        written = "write it again: ./asty broker config --org demo --out deploy/mosquitto"
        assert (tmp_path / name).read_text() == (DEPLOY / name).read_text(), written


def test_each_process_of_a_service_has_a_user_of_its_own_since_a_user_is_a_session() -> None:
    assert instances("asty-ingest", 1) == ("asty-ingest",)
    users = re.findall(r"^user (.*)$", access("demo", instances("asty-ingest", 2), instances("asty-stream", 3)), re.MULTILINE)
    assert users == ["asty-ingest-1", "asty-ingest-2", "asty-stream-1", "asty-stream-2", "asty-stream-3"]


@pytest.mark.parametrize("org", ["", "+", "#", "a/b", "demo\ntopic readwrite #"])
def test_no_towns_name_can_widen_the_access_list(org: str) -> None:
    with pytest.raises(ValueError, match="can't name a town"):
        access(org)


@pytest.mark.parametrize(
    ("environment", "variable"),
    [({"ASTY_PRODUCTION": "yes"}, "ASTY_PRODUCTION"), ({"ASTY_PRODUCTION": "1"}, "ASTY_BROKER_HOSTS")],
)
def test_a_wrong_security_setting_is_named(environment: dict[str, str], variable: str) -> None:
    with pytest.raises(SecuritySettingsError, match=variable):
        settings.read(environment)


def test_production_names_the_brokers_hosts() -> None:
    assert settings.read({"ASTY_PRODUCTION": "1", "ASTY_BROKER_HOSTS": "mqtt.town.gr, 10.0.0.5"}).hosts == ("mqtt.town.gr", "10.0.0.5")


def test_the_appliance_prepares_its_door_once_and_every_file_it_names_is_there(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    door = Door(home, "demo", ("mqtt.town.gr",))
    assert "made town, claims, asty-broker, asty-ingest, asty-stream" in door.prepare(
        executable("asty-cloud-api"), "postgresql://none@127.0.0.1/none"
    )
    assert "none is due" in door.prepare(executable("asty-cloud-api"), "postgresql://none@127.0.0.1/none")
    (home.data / "mqtt").mkdir()
    text = door.write(8883, production=True).read_text()
    for name in ("cafile", "certfile", "keyfile", "crlfile", "acl_file"):
        assert Path(re.search(rf"^{name} (.*)$", text, re.MULTILINE)[1]).is_file()  # type: ignore[index]
    programs = door.of_programs(8883)
    assert len(programs["cloud-api"]["ASTY_ENROLMENT_CODE"]) >= LEAST_CODE
    for files in (programs["ingest"], programs["stream"]):
        context = ssl.create_default_context(cafile=files["ASTY_MQTT_TLS_CA"])
        context.load_cert_chain(files["ASTY_MQTT_TLS_CERT"], files["ASTY_MQTT_TLS_KEY"])


def test_the_supervised_broker_opens_its_door_as_an_unprivileged_user_and_follows_its_list(
    tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    if mqtt.mosquitto() is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    home, port, now = Home(tmp_path / "home"), free_port(), datetime.now(UTC)
    home.make()
    door, folder = Door(home, "demo", ()), Folder(home.data / "ca")
    folder.prepare("demo", ["127.0.0.1"], SERVICES, now)
    program = mqtt.program(home, port, door)
    assert program.check is not None
    process = subprocess.Popen(program.command, cwd=program.folder, stderr=subprocess.DEVNULL)
    try:
        eventually(program.check.passes, why="the broker does not listen")
        town, at = folder.town(), Broker("127.0.0.1", port, door.pid_file)
        out = short_lived(town, "truck-1", now)
        assert at._takes(town, out)
        folder.write_revocations([Revoked(out.cert.serial_number, now)], now)
        at.reload()
        at.cut_off(town, "truck-1", out, now)
        assert not at._takes(town, out)
    finally:
        process.terminate()
        process.wait(10)


def test_production_without_mosquitto_is_refused_since_its_fallback_keeps_nobody_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "mosquitto", lambda: None)
    home = Home(tmp_path)
    home.make()
    with pytest.raises(PlainTextError, match="install it"):
        mqtt.program(home, 8883, Door(home, "demo", ()))


def test_every_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    Folder(tmp_path).prepare("demo", ["mqtt.town.gr"], SERVICES, NOW)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.key")}
    assert modes == dict.fromkeys(["town.key", "claims.key", "broker.key", "asty-ingest.key", "asty-stream.key"], 0o600)


def test_certificates_are_made_anew_when_a_third_of_their_life_is_left_and_the_authorities_never(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.prepare("demo", ["mqtt.town.gr"], SERVICES, NOW)
    assert folder.prepare("demo", ["mqtt.town.gr"], SERVICES, NOW + timedelta(days=500)) == []
    assert folder.prepare("demo", ["mqtt.town.gr"], SERVICES, NOW + timedelta(days=560)) == ["asty-broker", *SERVICES]


def test_a_broker_with_a_new_name_gets_a_new_certificate(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.prepare("demo", ["mqtt.town.gr"], [], NOW)
    assert folder.prepare("demo", ["mqtt.town.gr", "10.0.0.5"], [], NOW) == ["asty-broker"]
    cert = x509.load_pem_x509_certificate((folder.broker / "broker.pem").read_bytes())
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["mqtt.town.gr", "10.0.0.5"]
    assert list(cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_the_authority_of_another_town_is_not_used(tmp_path: Path) -> None:
    Folder(tmp_path).prepare("demo", [], [], NOW)
    with pytest.raises(NoAuthorityError, match="'demo'"):
        Folder(tmp_path).prepare("volos", [], [], NOW)


@pytest.mark.parametrize("name", ["truck-1", "asty-ingest/../x", "asty-cloud-api", "asty-ingest-"])
def test_only_ingest_and_stream_get_a_services_certificate(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongNameError, match="no service"):
        Folder(tmp_path).prepare("demo", [], [name], NOW)


def test_a_lost_key_of_the_authority_is_named_with_what_to_do(tmp_path: Path) -> None:
    Folder(tmp_path).prepare("demo", [], [], NOW)
    (tmp_path / "town.key").unlink()
    with pytest.raises(NoAuthorityError, match=r"town\.key"):
        Folder(tmp_path).town()
    keys.write(tmp_path / "town.key", keys.key_pem(keys.new_key()), keys.KEY_MODE)
    with pytest.raises(NoAuthorityError, match="not the key"):
        Folder(tmp_path).town()


def test_a_revocation_list_is_always_later_than_the_one_before_and_outlives_every_certificate() -> None:
    town = Authority.create("town", "demo", NOW)
    lists: list[x509.CertificateRevocationList] = []
    for number in range(1, 4):
        pem = town.revocations([Revoked(number, NOW)], lists[-1] if lists else None, NOW)
        lists.append(x509.load_pem_x509_crl(pem))
    assert lists[0].last_update_utc < lists[1].last_update_utc < lists[2].last_update_utc <= NOW
    assert [one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for one in lists] == [1, 2, 3]
    assert lists[2].next_update_utc == town.cert.not_valid_after_utc
    assert lists[2].get_revoked_certificate_by_serial_number(3) is not None


def test_no_certificate_outlives_its_authority() -> None:
    town = Authority.create("town", "demo", NOW)
    late = town.cert.not_valid_after_utc - timedelta(days=10)
    assert town.edge("truck-1", keys.new_key().public_key(), late).not_valid_after_utc == town.cert.not_valid_after_utc


def test_a_certificate_signs_no_other() -> None:
    town = Authority.create("town", "demo", NOW)
    edge_key = keys.new_key()
    edge = Authority(edge_key, town.edge("truck-1", edge_key.public_key(), NOW))
    assert not town.signed(edge.edge("truck-2", keys.new_key().public_key(), NOW))
    assert not edge.cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert timedelta(days=365) == authority.EDGE_LIFE


def test_the_guide_names_every_setting_and_every_command() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "enrolment.md").read_text()
    sources = [Path(module.__file__ or "").read_text() for module in (settings, cloud_settings)]
    names = {name for source in sources for name in re.findall(r"ASTY_(?:CA|ENROLMENT|BROKER|PRODUCTION)[A-Z_]*", source)}
    parser = argparse.ArgumentParser()
    cloud_commands.register(parser.add_subparsers())
    enrol = parser._subparsers._group_actions[0].choices["enrol"]  # type: ignore[union-attr,index,call-overload]
    names |= {f"enrol {command}" for command in enrol._subparsers._group_actions[0].choices}
    assert len(names) > 12
    assert {name for name in names if name not in guide} == set()


def test_enrol_says_what_to_start_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_commands, "CHECKOUT", tmp_path)
    assert "./asty up" in CliRunner().invoke(security_commands.enrol, ["list"]).output
    home = Home(tmp_path / ".asty" / "town")
    home.make()
    Supervision(home).configure([Program(name="cloud-api", stage="process", command=("x",), folder=str(tmp_path))])
    assert "ASTY_PRODUCTION=1" in CliRunner().invoke(security_commands.enrol, ["list"]).output
