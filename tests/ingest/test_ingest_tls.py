"""asty-ingest with a broker that lets in certificates only."""

import datetime
import ipaddress
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asty_contracts import groups
from asty_contracts.examples import GOLDEN
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion


class Authority:
    """Signs certificates for the broker, ingest and edges."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = self._named("test authority")
        self.certificate = self._write("ca", self._key, self._sign("test authority", self._key, ca=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Return certificate and key of CN = name."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(name, key, self._sign(name, key, ca=False)), self.folder / f"{name}.key"

    def _named(self, name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._named(name))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Path:
        plain = serialization.NoEncryption()
        pem = serialization.Encoding.PEM
        (self.folder / f"{name}.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        path = self.folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(pem))
        return path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def broker(authority: Authority, new_mosquitto: Callable[..., Any]) -> Any:
    certificate, key = authority.issue("broker")
    acl = authority.folder / "acl"
    acl.write_text("user asty-ingest\ntopic read asty/1/+/+/up/#\n\npattern write asty/1/+/%u/up/#\n")
    return new_mosquitto(
        f"cafile {authority.certificate}\ncertfile {certificate}\nkeyfile {key}\n"
        f"require_certificate true\nuse_identity_as_username true\nacl_file {acl}\n"
    )


def test_over_tls_with_certificates_an_edge_reaches_kafka_under_its_own_name_only(
    authority: Authority, broker: Any, tansu: Any, eventually: Callable[..., Any]
) -> None:
    org = f"org-{uuid.uuid4().hex[:8]}"
    certificate, key = authority.issue("asty-ingest")
    settings = {
        "ASTY_ORG": org,
        "ASTY_MQTT_PORT": str(broker.port),
        "ASTY_MQTT_TLS_CA": str(authority.certificate),
        "ASTY_MQTT_TLS_CERT": str(certificate),
        "ASTY_MQTT_TLS_KEY": str(key),
        "ASTY_KAFKA_BOOTSTRAP": tansu.bootstrap,
    }
    log_file = authority.folder / "ingest.log"
    with log_file.open("wb") as log:
        ingest = subprocess.Popen([sys.executable, "-m", "asty_ingest.main"], env={"PATH": os.defpath, **settings}, stdout=log, stderr=log)
    edge = Client(CallbackAPIVersion.VERSION2, client_id="truck-01")
    edge.tls_set(str(authority.certificate), *map(str, authority.issue("truck-01")))
    edge.connect(broker.host, broker.port)
    edge.loop_start()
    consumer = Consumer({"bootstrap.servers": tansu.bootstrap, "group.id": uuid.uuid4().hex, "log_level": 0})
    try:
        eventually(lambda: "event=kafka_reached" in log_file.read_text() and "event=mqtt_connected" in log_file.read_text())
        eventually(edge.is_connected)
        consumer.assign([TopicPartition("telemetry.v1", n, OFFSET_BEGINNING) for n in range(4)])
        seen: list[str] = []

        def arrived() -> bool:
            for name in ("truck-02", "truck-01"):
                edge.publish(f"asty/1/{org}/{name}/up/rec", (GOLDEN / "pack-pos.json").read_bytes(), qos=1).wait_for_publish(10)
            packs = [pack for message in consumer.consume(100, 0.5) for pack in groups.decode(message.value())]
            seen.extend(pack.edge for pack in packs if pack.org == org)
            return "truck-01" in seen

        eventually(arrived, why="the pack is in Kafka")
        assert set(seen) == {"truck-01"}
    finally:
        consumer.close()
        edge.disconnect()
        edge.loop_stop()
        ingest.send_signal(signal.SIGTERM)
        code = ingest.wait(15)
        print(log_file.read_text(), broker.log())
    assert code == 0


def test_a_broker_that_refuses_the_user_is_asked_again_and_the_log_says_what_to_do(
    new_mosquitto: Callable[..., Any], tansu: Any, eventually: Callable[..., Any], tmp_path: Path
) -> None:
    broker = new_mosquitto("allow_anonymous false\n")
    log_file = tmp_path / "ingest.log"
    settings = {
        "ASTY_ORG": "demo",
        "ASTY_MQTT_PORT": str(broker.port),
        "ASTY_KAFKA_BOOTSTRAP": tansu.bootstrap,
        "ASTY_MQTT_USERNAME": "nobody",
    }
    with log_file.open("wb") as log:
        ingest = subprocess.Popen([sys.executable, "-m", "asty_ingest.main"], env={"PATH": os.defpath, **settings}, stdout=log, stderr=log)
    try:
        eventually(lambda: log_file.read_text().count("event=mqtt_refused") >= 2, why="it asks again")
    finally:
        ingest.send_signal(signal.SIGTERM)
        code = ingest.wait(15)
        print(log_file.read_text())
    assert "check ASTY_MQTT_USERNAME, the certificate and the broker's list of users" in log_file.read_text()
    assert code == 0
