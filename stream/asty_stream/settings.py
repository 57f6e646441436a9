"""What the process is told by its environment, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from asty_process.environment import Environment

from asty_stream.rules.levels import LIMIT

GAP_MINUTES = 15.0
"""How long a gap may stay open, while its edge is connected, before it is an alarm."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where acknowledgements are published; `ca`, `cert` and `key` are files (PEM), `ca` turns TLS on."""

    host: str
    port: int
    protocol: Literal["5", "3.1.1"]
    username: str | None
    password: str | None
    ca: str | None
    cert: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """All that `asty-stream worker` needs; `migrate` reads only `database_dsn`, `maintain` also `gap_minutes`."""

    org: str
    database_dsn: str
    kafka_bootstrap: str
    kafka_replication: int
    group: str
    mqtt: MqttSettings
    batch_packs: int
    stall_seconds: float
    gap_minutes: float
    level_limit: float


def read(variables: Mapping[str, str] = os.environ) -> Settings:  # noqa: TID251  this is the one place
    """Read the worker's settings. Raises SettingsError."""
    environment = Environment(variables)
    mqtt = MqttSettings(
        host=environment.text("ASTY_MQTT_HOST", "127.0.0.1"),
        port=environment.port("ASTY_MQTT_PORT", 1883),
        protocol=environment.one_of("ASTY_MQTT_PROTOCOL", ("5", "3.1.1")),
        username=environment.optional("ASTY_MQTT_USERNAME"),
        password=environment.optional("ASTY_MQTT_PASSWORD"),
        ca=environment.optional("ASTY_MQTT_TLS_CA"),
        cert=environment.optional("ASTY_MQTT_TLS_CERT"),
        key=environment.optional("ASTY_MQTT_TLS_KEY"),
    )
    if (mqtt.cert or mqtt.key) and not (mqtt.ca and mqtt.cert and mqtt.key):
        environment.wrong("ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY come together, with ASTY_MQTT_TLS_CA")
    if environment.is_production() and not mqtt.cert:
        environment.wrong("ASTY_PRODUCTION=1 takes no plain text: set ASTY_MQTT_TLS_CA, ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY")
    org = environment.town()
    settings = Settings(
        org=org,
        database_dsn=environment.database(),
        kafka_bootstrap=environment.needed("ASTY_KAFKA_BOOTSTRAP", "where Kafka listens, such as 127.0.0.1:9092"),
        kafka_replication=environment.whole("ASTY_KAFKA_REPLICATION", 1, 1, 9),
        group=environment.text("ASTY_STREAM_GROUP", f"asty-stream-{org}"),
        mqtt=mqtt,
        batch_packs=environment.whole("ASTY_STREAM_BATCH", 200, 1, 10_000),
        stall_seconds=environment.number("ASTY_STREAM_STALL_SECONDS", 30, 1, 3600),
        gap_minutes=_gap_minutes(environment),
        level_limit=environment.number("ASTY_STREAM_LEVEL_LIMIT", LIMIT, 10, 150),
    )
    environment.done()
    return settings


def read_dsn(variables: Mapping[str, str] = os.environ) -> str:  # noqa: TID251
    """Read only where the database is. Raises SettingsError."""
    environment = Environment(variables)
    dsn = environment.database()
    environment.done()
    return dsn


def read_gap_minutes(variables: Mapping[str, str] = os.environ) -> float:  # noqa: TID251
    """Read only how long a gap may stay open. Raises SettingsError."""
    environment = Environment(variables)
    minutes = _gap_minutes(environment)
    environment.done()
    return minutes


def _gap_minutes(environment: Environment) -> float:
    return environment.number("ASTY_STREAM_GAP_MINUTES", GAP_MINUTES, 1, 100_000)
