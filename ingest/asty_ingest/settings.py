"""What asty-ingest is told by its environment, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asty_contracts.ids import is_name


class SettingsError(Exception):
    """A variable is missing or holds what it must not: an operator has to change it. Names each variable and what was expected."""


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


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:  # noqa: TID251
    """Read the settings (docs/ingest.md). Raises SettingsError with all that is wrong."""
    read = _Reader(environment)
    port = read.number("ASTY_MQTT_PORT", 1, 65535, default=8883 if environment.get("ASTY_MQTT_TLS_CA") else 1883)
    settings = Settings(
        org=read.name("ASTY_ORG"),
        mqtt_host=read.text("ASTY_MQTT_HOST", "127.0.0.1"),
        mqtt_port=port,
        kafka_bootstrap=read.text("ASTY_KAFKA_BOOTSTRAP"),
        mqtt_protocol=read.one_of("ASTY_MQTT_PROTOCOL", ("5", "3.1.1")),
        mqtt_tls=read.tls(),
        mqtt_username=environment.get("ASTY_MQTT_USERNAME") or None,
        mqtt_password=environment.get("ASTY_MQTT_PASSWORD") or None,
        kafka_replication=read.number("ASTY_KAFKA_REPLICATION", 1, 15, default=1),
        shard=read.shard("ASTY_INGEST_SHARD"),
        max_in_flight=read.number("ASTY_INGEST_MAX_IN_FLIGHT", 1, 65535, default=1000),
        metrics_port=read.number("ASTY_INGEST_METRICS_PORT", 0, 65535) if environment.get("ASTY_INGEST_METRICS_PORT") else None,
    )
    if read.wrong:
        raise SettingsError("; ".join(read.wrong))
    return settings


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.wrong: list[str] = []

    def text(self, variable: str, default: str = "") -> str:
        value = self._environment.get(variable, "") or default
        if not value:
            self.wrong.append(f"{variable} is not set")
        return value

    def name(self, variable: str) -> str:
        value = self.text(variable)
        if value and not is_name(value):
            self.wrong.append(f"{variable}={value!r}: expected 1 to 32 of a-z, 0-9 and inner hyphens")
        return value

    def one_of(self, variable: str, choices: tuple[str, ...]) -> str:
        value = self._environment.get(variable, "") or choices[0]
        if value not in choices:
            self.wrong.append(f"{variable}={value!r}: expected {' or '.join(choices)}")
        return value

    def number(self, variable: str, lowest: int, highest: int, default: int = 0) -> int:
        value = self._environment.get(variable, "") or str(default)
        if value.isascii() and value.isdigit() and lowest <= int(value) <= highest:
            return int(value)
        self.wrong.append(f"{variable}={value!r}: expected a number from {lowest} to {highest}")
        return default

    def shard(self, variable: str) -> Shard:
        value = self._environment.get(variable, "") or "0/1"
        index, _, count = value.partition("/")
        if index.isdecimal() and count.isdecimal() and 0 <= int(index) < int(count):
            return Shard(int(index), int(count))
        self.wrong.append(f"{variable}={value!r}: expected i/n with 0 <= i < n, for example 0/2")
        return Shard()

    def tls(self) -> Tls | None:
        paths = {name: self._environment.get(f"ASTY_MQTT_TLS_{name}") for name in ("CA", "CERT", "KEY")}
        for name, path in paths.items():
            if path and not Path(path).is_file():
                self.wrong.append(f"ASTY_MQTT_TLS_{name}={path!r}: expected a file")
        if (paths["CERT"] or paths["KEY"]) and not all(paths.values()):
            self.wrong.append("ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY: expected both, and ASTY_MQTT_TLS_CA")
        if self._environment.get("ASTY_PRODUCTION") == "1" and not paths["CERT"]:
            self.wrong.append("ASTY_PRODUCTION=1 takes no plain text: set ASTY_MQTT_TLS_CA, ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY")
        files = {name: Path(path) for name, path in paths.items() if path}
        return Tls(files["CA"], files.get("CERT"), files.get("KEY")) if "CA" in files else None
