"""What asty-ingest is told by its environment, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asty_process.environment import Environment


@dataclass(frozen=True, slots=True)
class Tls:
    """Files: the authority that signed the broker's certificate, and this process's own certificate and key, both or neither."""

    ca: Path
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """This process is the `index`-th (from 0) of `count`."""

    index: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    org: str
    mqtt_host: str
    mqtt_port: int
    kafka_bootstrap: str
    mqtt_protocol: str = "5"
    mqtt_tls: Tls | None = None
    mqtt_username: str | None = None
    mqtt_password: str | None = None
    kafka_replication: int = 1
    shard: Shard = Shard()
    max_in_flight: int = 1000
    metrics_port: int | None = None


def from_environment(variables: Mapping[str, str] = os.environ) -> Settings:  # noqa: TID251
    """Read the settings (docs/ingest.md). Raises SettingsError with all that is wrong."""
    environment = Environment(variables)
    tls = _tls(environment)
    settings = Settings(
        org=environment.town(),
        mqtt_host=environment.text("ASTY_MQTT_HOST", "127.0.0.1"),
        mqtt_port=environment.port("ASTY_MQTT_PORT", 8883 if environment.optional("ASTY_MQTT_TLS_CA") else 1883),
        kafka_bootstrap=environment.needed("ASTY_KAFKA_BOOTSTRAP", "where Kafka listens, such as 127.0.0.1:9092"),
        mqtt_protocol=environment.one_of("ASTY_MQTT_PROTOCOL", ("5", "3.1.1")),
        mqtt_tls=tls,
        mqtt_username=environment.optional("ASTY_MQTT_USERNAME"),
        mqtt_password=environment.optional("ASTY_MQTT_PASSWORD"),
        kafka_replication=environment.whole("ASTY_KAFKA_REPLICATION", 1, 1, 15),
        shard=_shard(environment),
        max_in_flight=environment.whole("ASTY_INGEST_MAX_IN_FLIGHT", 1000, 1, 65535),
        metrics_port=environment.whole("ASTY_INGEST_METRICS_PORT", 0, 0, 65535)
        if environment.optional("ASTY_INGEST_METRICS_PORT")
        else None,
    )
    environment.done()
    return settings


def _shard(environment: Environment) -> Shard:
    index, _, count = environment.text("ASTY_INGEST_SHARD", "0/1").partition("/")
    if index.isdecimal() and count.isdecimal() and 0 <= int(index) < int(count):
        return Shard(int(index), int(count))
    environment.refuse("ASTY_INGEST_SHARD", "i/n with 0 <= i < n, for example 0/2")
    return Shard()


def _tls(environment: Environment) -> Tls | None:
    ca, cert, key = (environment.path(f"ASTY_MQTT_TLS_{name}") for name in ("CA", "CERT", "KEY"))
    for name, path in zip(("CA", "CERT", "KEY"), (ca, cert, key), strict=True):
        if path is not None and not path.is_file():
            environment.refuse(f"ASTY_MQTT_TLS_{name}", "a file")
    if (cert or key) and not (ca and cert and key):
        environment.wrong("ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY: expected both, and ASTY_MQTT_TLS_CA")
    if environment.is_production() and not cert:
        environment.wrong("ASTY_PRODUCTION=1 takes no plain text: set ASTY_MQTT_TLS_CA, ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY")
    return Tls(ca, cert, key) if ca else None
