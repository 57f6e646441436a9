"""The settings of the process, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from asty_process.environment import Environment

ATHENS = ZoneInfo("Europe/Athens")
LEAST_CODE = 12


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
class OidcSettings:
    """The directory with which staff sign in: its issuer, and what it registered for us."""

    issuer: str
    client: str
    secret: str


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
    `address` is what browsers know the server by; `oidc` None leaves the staff their passphrases alone.
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
    production: bool = False
    address: str | None = None
    oidc: OidcSettings | None = None


def read(variables: Mapping[str, str] = os.environ) -> Settings:  # noqa: TID251  this is the one place
    """Raises SettingsError."""
    environment = Environment(variables)
    chosen = Settings(
        org=environment.town(),
        dsn=environment.database(),
        host=environment.text("ASTY_CLOUD_API_HOST", "127.0.0.1"),
        port=environment.port("ASTY_CLOUD_API_PORT", 8400),
        town_file=environment.path("ASTY_TOWN_FILE"),
        zone=environment.zone(),
        enrolment=_enrolment(environment),
        valhalla_url=_valhalla(environment),
        kafka=environment.optional("ASTY_KAFKA_BOOTSTRAP"),
        planner=_planner(environment),
        production=environment.is_production(),
        address=_address(environment),
        oidc=_oidc(environment),
    )
    environment.done()
    return chosen


def _enrolment(environment: Environment) -> EnrolmentSettings | None:
    if (folder := environment.path("ASTY_CA_FOLDER")) is None:
        return None
    code = environment.optional("ASTY_ENROLMENT_CODE")
    if code is not None and len(code) < LEAST_CODE:
        environment.wrong(f"ASTY_ENROLMENT_CODE has {len(code)} characters: expected {LEAST_CODE} or more, since it lets a vehicle in")
    host = environment.text("ASTY_BROKER_HOST")
    broker = (host, environment.port("ASTY_BROKER_PORT", 8883)) if host else None
    return EnrolmentSettings(folder, code, broker, environment.path("ASTY_BROKER_PID_FILE"))


def _address(environment: Environment) -> str | None:
    text = environment.address("ASTY_CLOUD_API_ADDRESS")
    if text and (not text.startswith(("http://", "https://")) or text.count("/") != 2):
        environment.refuse("ASTY_CLOUD_API_ADDRESS", "an address without a path such as https://stolos.dimos.gr")
    return text or None


def _oidc(environment: Environment) -> OidcSettings | None:
    issuer = environment.address("ASTY_CLOUD_API_OIDC_ISSUER")
    if not issuer:
        return None
    if not issuer.startswith(("https://", "http://localhost")):
        environment.refuse("ASTY_CLOUD_API_OIDC_ISSUER", "https://…")
    registered = "as the directory of ASTY_CLOUD_API_OIDC_ISSUER registered it"
    client, secret = (environment.needed(f"ASTY_CLOUD_API_OIDC_{name}", registered) for name in ("CLIENT", "SECRET"))
    environment.needed("ASTY_CLOUD_API_ADDRESS", registered)
    return OidcSettings(issuer, client, secret)


def _valhalla(environment: Environment) -> str | None:
    url = environment.optional("ASTY_VALHALLA_URL")
    if url is not None and not url.startswith(("http://", "https://")):
        environment.refuse("ASTY_VALHALLA_URL", "an address such as http://127.0.0.1:8002")
    return url


def _planner(environment: Environment) -> PlannerSettings:
    at = environment.text("ASTY_PLAN_AT", "04:00")
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at) is None:
        environment.refuse("ASTY_PLAN_AT", "a local time such as 04:00")
    return PlannerSettings(
        environment.one_of("ASTY_PLAN_MODE", ("auto", "approve")), at, environment.whole("ASTY_PLAN_SECONDS", 10, 1, 3600)
    )
