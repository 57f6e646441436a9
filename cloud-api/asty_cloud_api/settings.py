"""The settings of the process, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asty_contracts.ids import is_name


ATHENS = ZoneInfo("Europe/Athens")


class SettingsError(Exception):
    """A setting is missing or wrong: names the variable and what was expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`town_file` is the OpenStreetMap extract that the map is drawn from; None draws a map without streets."""

    org: str
    dsn: str
    host: str = "127.0.0.1"
    port: int = 8400
    town_file: Path | None = None
    zone: ZoneInfo = ATHENS


def read(environment: Mapping[str, str] = os.environ) -> Settings:  # noqa: TID251  this is the one place
    """Raises SettingsError."""
    org = environment.get("ASTY_ORG", "")
    if not is_name(org):
        raise SettingsError(f"ASTY_ORG is {org!r}: expected 1 to 32 of a-z, 0-9 and inner hyphens, such as demo")
    dsn = environment.get("ASTY_DATABASE_DSN", "")
    if not dsn:
        raise SettingsError("ASTY_DATABASE_DSN is missing: expected a PostgreSQL address such as postgresql://asty@127.0.0.1:5433/asty")
    town_file = environment.get("ASTY_TOWN_FILE")
    return Settings(
        org=org,
        dsn=dsn,
        host=environment.get("ASTY_CLOUD_API_HOST", "127.0.0.1"),
        port=_port(environment.get("ASTY_CLOUD_API_PORT", "8400")),
        town_file=Path(town_file) if town_file else None,
        zone=_zone(environment.get("ASTY_TIMEZONE", "Europe/Athens")),
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError(f"ASTY_CLOUD_API_PORT is {text!r}: expected a port from 1 to 65535")
    return int(text)


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"ASTY_TIMEZONE is {text!r}: expected a time zone such as Europe/Athens") from error
