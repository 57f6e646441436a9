"""The settings of the process, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asty_contracts.ids import is_name

ATHENS = ZoneInfo("Europe/Athens")
LEAST_CODE = 12


class SettingsError(Exception):
    """A setting is missing or wrong: names the variable and what was expected."""


@dataclass(frozen=True, slots=True)
class EnrolmentSettings:
    """`ca_folder` holds the authorities. `code` lets officers decide on the page; None leaves that to `asty enrol`.

    `broker` is where the TLS broker listens, None when nobody is to be told of revocations; `broker_pid_file` reaches it with a SIGHUP.
    """

    ca_folder: Path
    code: str | None = None
    broker: tuple[str, int] | None = None
    broker_pid_file: Path | None = None


@dataclass(frozen=True, slots=True)
class PlannerSettings:
    """`mode`: plans run by themselves (auto), or wait for a dispatcher (approve). `at`: when the next service day is planned, local HH:MM.

    `seconds` is the search time of the plan of the day.
    """

    mode: Literal["auto", "approve"] = "auto"
    at: str = "04:00"
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """`town_file` is the OpenStreetMap extract that the map is drawn from; None draws a map without streets.

    `valhalla_url` is where Valhalla answers; None leaves out what needs roads.
    `kafka` is where plan triggers travel; without it they go through the database alone.
    `enrolment` is None where ASTY_CA_FOLDER is not set: then no edge can enrol here.
    """

    org: str
    dsn: str
    host: str = "127.0.0.1"
    port: int = 8400
    town_file: Path | None = None
    zone: ZoneInfo = ATHENS
    enrolment: EnrolmentSettings | None = None
    valhalla_url: str | None = None
    kafka: str | None = None
    planner: PlannerSettings = PlannerSettings()


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
        port=_port("ASTY_CLOUD_API_PORT", environment.get("ASTY_CLOUD_API_PORT", "8400")),
        town_file=Path(town_file) if town_file else None,
        zone=_zone(environment.get("ASTY_TIMEZONE", "Europe/Athens")),
        enrolment=_enrolment(environment),
        valhalla_url=_valhalla(environment),
        kafka=environment.get("ASTY_KAFKA_BOOTSTRAP") or None,
        planner=_planner(environment),
    )


def _enrolment(environment: Mapping[str, str]) -> EnrolmentSettings | None:
    folder = environment.get("ASTY_CA_FOLDER")
    if not folder:
        return None
    code = environment.get("ASTY_ENROLMENT_CODE") or None
    if code is not None and len(code) < LEAST_CODE:
        raise SettingsError(f"ASTY_ENROLMENT_CODE has {len(code)} characters: expected {LEAST_CODE} or more, since it lets a vehicle in")
    host, pid_file = environment.get("ASTY_BROKER_HOST"), environment.get("ASTY_BROKER_PID_FILE")
    broker = (host, _port("ASTY_BROKER_PORT", environment.get("ASTY_BROKER_PORT", "8883"))) if host else None
    return EnrolmentSettings(Path(folder), code, broker, Path(pid_file) if pid_file else None)


def _valhalla(environment: Mapping[str, str]) -> str | None:
    url = environment.get("ASTY_VALHALLA_URL") or None
    if url is not None and not url.startswith(("http://", "https://")):
        raise SettingsError(f"ASTY_VALHALLA_URL is {url!r}: expected an address such as http://127.0.0.1:8002")
    return url


def _planner(environment: Mapping[str, str]) -> PlannerSettings:
    mode = environment.get("ASTY_PLAN_MODE", "auto")
    if mode not in ("auto", "approve"):
        raise SettingsError(f"ASTY_PLAN_MODE is {mode!r}: expected auto or approve")
    at = environment.get("ASTY_PLAN_AT", "04:00")
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at) is None:
        raise SettingsError(f"ASTY_PLAN_AT is {at!r}: expected a local time such as 04:00")
    seconds = environment.get("ASTY_PLAN_SECONDS", "10")
    if not seconds.isascii() or not seconds.isdigit() or not 1 <= int(seconds) <= 3600:
        raise SettingsError(f"ASTY_PLAN_SECONDS is {seconds!r}: expected whole seconds from 1 to 3600")
    return PlannerSettings("approve" if mode == "approve" else "auto", at, float(seconds))


def _port(variable: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError(f"{variable} is {text!r}: expected a port from 1 to 65535")
    return int(text)


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"ASTY_TIMEZONE is {text!r}: expected a time zone such as Europe/Athens") from error
