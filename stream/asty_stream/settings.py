"""What the process is told by its environment, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from asty_contracts.ids import is_name

from asty_stream.rules.levels import LIMIT

GAP_MINUTES = 15.0
"""How long a gap may stay open, while its edge is connected, before it is an alarm."""


class SettingsError(Exception):
    """The environment does not fit: names each variable and what was expected."""


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


class _Reader:
    """Reads variables and collects everything that is wrong, so that an operator mends it in one go."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.wrong: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self.environment.get(name, "") or default
        if value is None:
            self.wrong.append(f"{name} is not set")
            return ""
        return value

    def optional(self, name: str) -> str | None:
        return self.environment.get(name) or None

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self.environment.get(name, "")
        if not value:
            return default
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            self.wrong.append(f"{name}={value!r} is not a number from {low:g} to {high:g}")
            return default
        return number

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        number = self.number(name, default, low, high)
        if not number.is_integer():
            self.wrong.append(f"{name}={number!r} is not a whole number")
        return int(number)

    def done(self) -> None:
        if self.wrong:
            raise SettingsError("; ".join(self.wrong))


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the worker's settings. Raises SettingsError."""
    reader = _Reader(os.environ if environment is None else environment)  # noqa: TID251
    org = reader.text("ASTY_ORG")
    if org and not is_name(org):
        reader.wrong.append(f"ASTY_ORG={org!r} is not 1 to 32 of a-z, 0-9 and inner hyphens")
    protocol = reader.text("ASTY_MQTT_PROTOCOL", "5")
    if protocol not in ("5", "3.1.1"):
        reader.wrong.append(f"ASTY_MQTT_PROTOCOL={protocol!r} is neither 5 nor 3.1.1")
    mqtt = MqttSettings(
        host=reader.text("ASTY_MQTT_HOST", "127.0.0.1"),
        port=reader.whole("ASTY_MQTT_PORT", 1883, 1, 65535),
        protocol="3.1.1" if protocol == "3.1.1" else "5",
        username=reader.optional("ASTY_MQTT_USERNAME"),
        password=reader.optional("ASTY_MQTT_PASSWORD"),
        ca=reader.optional("ASTY_MQTT_TLS_CA"),
        cert=reader.optional("ASTY_MQTT_TLS_CERT"),
        key=reader.optional("ASTY_MQTT_TLS_KEY"),
    )
    if (mqtt.cert or mqtt.key) and not (mqtt.ca and mqtt.cert and mqtt.key):
        reader.wrong.append("ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY come together, with ASTY_MQTT_TLS_CA")
    if reader.optional("ASTY_PRODUCTION") == "1" and not mqtt.cert:
        reader.wrong.append("ASTY_PRODUCTION=1 takes no plain text: set ASTY_MQTT_TLS_CA, ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY")
    settings = Settings(
        org=org,
        database_dsn=reader.text("ASTY_DATABASE_DSN"),
        kafka_bootstrap=reader.text("ASTY_KAFKA_BOOTSTRAP"),
        kafka_replication=reader.whole("ASTY_KAFKA_REPLICATION", 1, 1, 9),
        group=reader.text("ASTY_STREAM_GROUP", f"asty-stream-{org}"),
        mqtt=mqtt,
        batch_packs=reader.whole("ASTY_STREAM_BATCH", 200, 1, 10_000),
        stall_seconds=reader.number("ASTY_STREAM_STALL_SECONDS", 30, 1, 3600),
        gap_minutes=_gap_minutes(reader),
        level_limit=reader.number("ASTY_STREAM_LEVEL_LIMIT", LIMIT, 10, 150),
    )
    reader.done()
    return settings


def read_dsn(environment: Mapping[str, str] | None = None) -> str:
    """Read only where the database is. Raises SettingsError."""
    reader = _Reader(os.environ if environment is None else environment)  # noqa: TID251
    dsn = reader.text("ASTY_DATABASE_DSN")
    reader.done()
    return dsn


def read_gap_minutes(environment: Mapping[str, str] | None = None) -> float:
    """Read only how long a gap may stay open. Raises SettingsError."""
    reader = _Reader(os.environ if environment is None else environment)  # noqa: TID251
    minutes = _gap_minutes(reader)
    reader.done()
    return minutes


def _gap_minutes(reader: _Reader) -> float:
    return reader.number("ASTY_STREAM_GAP_MINUTES", GAP_MINUTES, 1, 100_000)
