"""The settings of the process, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asty_contracts.ids import is_name

ATHENS = ZoneInfo("Europe/Athens")
LEAST_SECRET = 24
TEST_ORGANISATION = "99999"
"""Stands for the organisation code of DIAS, which the bank gives, on a laptop."""
type Security = Literal["starttls", "tls", "none"]
SECURITIES: Mapping[str, Security] = {"starttls": "starttls", "tls": "tls", "none": "none"}
REALMS = ("oauth2server", "oauth2serverotp")


class OperatorError(Exception):
    """Something that whoever runs a command has to put right; its text says what."""


class SettingsError(OperatorError):
    """A setting is missing or wrong: names the variable and what was expected."""


@dataclass(frozen=True, slots=True)
class TaxisNetSettings:
    """The national OAuth 2.0 of citizens: `address` is its host, such as https://oauth2.gsis.gr."""

    address: str
    client: str
    secret: str
    realm: str = "oauth2server"


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The municipality's directory, by OpenID Connect: `issuer` as its discovery document names itself."""

    issuer: str
    client: str
    secret: str


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """What the operator gave: where its message centre listens, who we are, and the name that phones show as the sender."""

    host: str
    port: int
    system_id: str
    password: str
    sender: str
    tls: bool = False


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """A gateway of short messages over HTTP; `key` authorises us and signs its receipts."""

    address: str
    key: str
    sender: str


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The municipality's own mail server and the address that notices come from. `security` none is for a server on this machine."""

    host: str
    port: int
    sender: str
    name: str
    security: Security = "starttls"
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """How notices leave. `console` prints what no carrier takes; `push_key` is the VAPID key as base64url, `push_contact` its mailto:."""

    smpp: SmppSettings | None = None
    gateway: GatewaySettings | None = None
    mailbox: MailSettings | None = None
    push_key: str | None = None
    push_contact: str = ""
    console: bool = True


@dataclass(frozen=True, slots=True)
class BankSettings:
    """The bank's pay page and the secret that signs what it says; `organisation` is the DIAS code of five digits."""

    address: str
    secret: str
    organisation: str = TEST_ORGANISATION


@dataclass(frozen=True, slots=True)
class DocumentSystemSettings:
    """The municipality's existing document system; `secret` signs calls in both directions. Address `console` prints."""

    address: str
    secret: str


@dataclass(frozen=True, slots=True)
class Settings:
    """`address` is what browsers call this server by: links, redirects and passkeys are bound to it.

    `scanner` is where clamd listens, None where there is none.
    `secret` keys the hashes of one-time codes. `taxisnet` None: no citizen can sign in; `oidc` None: staff have passkeys alone.
    `trust` holds the certificates of authorities that signatures are trusted from; `timestamps` is an RFC 3161 authority's address.
    """

    org: str
    dsn: str
    secret: str
    municipality: str
    address: str
    host: str = "127.0.0.1"
    port: int = 8420
    zone: ZoneInfo = ATHENS
    production: bool = False
    procedures: Path | None = None
    taxisnet: TaxisNetSettings | None = None
    scanner: tuple[str, int] | None = None
    oidc: OidcSettings | None = None
    trust: Path | None = None
    timestamps: str | None = None
    notices: NoticeSettings = NoticeSettings()
    bank: BankSettings | None = None
    documents: DocumentSystemSettings | None = None

    @property
    def is_tls(self) -> bool:
        return self.address.startswith("https://")

    @property
    def domain(self) -> str:
        """The host of the address, to which passkeys are bound."""
        return urlsplit(self.address).hostname or ""


def read(environment: Mapping[str, str] = os.environ) -> Settings:  # noqa: TID251  this is the one place
    """Raises SettingsError."""
    org = environment.get("ASTY_ORG", "")
    if not is_name(org):
        raise SettingsError(f"ASTY_ORG is {org!r}: expected 1 to 32 of a-z, 0-9 and inner hyphens, such as demo")
    dsn = environment.get("ASTY_DATABASE_DSN", "")
    if not dsn:
        raise SettingsError("ASTY_DATABASE_DSN is missing: expected a PostgreSQL address such as postgresql://asty@127.0.0.1:5433/asty")
    secret = environment.get("ASTY_CITIZEN_SECRET", "")
    if len(secret) < LEAST_SECRET:
        raise SettingsError(f"ASTY_CITIZEN_SECRET has {len(secret)} characters: expected {LEAST_SECRET} or more, random and kept")
    production = is_production(environment)
    port = _port("ASTY_CITIZEN_PORT", environment.get("ASTY_CITIZEN_PORT", "8420"))
    folder, trust = environment.get("ASTY_CITIZEN_PROCEDURES"), environment.get("ASTY_CITIZEN_TRUST")
    return Settings(
        org=org,
        dsn=dsn,
        secret=secret,
        municipality=environment.get("ASTY_CITIZEN_MUNICIPALITY") or org,
        address=_address(environment.get("ASTY_CITIZEN_ADDRESS") or f"http://localhost:{port}", production=production),
        host=environment.get("ASTY_CITIZEN_HOST", "127.0.0.1"),
        port=port,
        zone=_zone(environment.get("ASTY_TIMEZONE", "Europe/Athens")),
        production=production,
        procedures=Path(folder) if folder else None,
        taxisnet=_taxisnet(environment),
        scanner=_scanner(environment),
        oidc=_oidc(environment),
        trust=Path(trust) if trust else None,
        timestamps=environment.get("ASTY_CITIZEN_TIMESTAMPS") or None,
        notices=_notices(environment, production=production),
        bank=_bank(environment, production=production),
        documents=_documents(environment),
    )


def is_production(environment: Mapping[str, str] = os.environ) -> bool:  # noqa: TID251  this is the one place
    """Tell whether this is the municipality's own system, where no test double may start."""
    return environment.get("ASTY_PRODUCTION", "") not in ("", "0")


def _taxisnet(environment: Mapping[str, str]) -> TaxisNetSettings | None:
    address = environment.get("ASTY_CITIZEN_TAXISNET_ADDRESS", "").rstrip("/")
    if not address:
        return None
    realm = environment.get("ASTY_CITIZEN_TAXISNET_REALM") or REALMS[0]
    if realm not in REALMS:
        raise SettingsError(f"ASTY_CITIZEN_TAXISNET_REALM is {realm!r}: expected one of {', '.join(REALMS)}")
    client, secret = (_needed(environment, f"ASTY_CITIZEN_TAXISNET_{name}", "the registration at GSIS") for name in ("CLIENT", "SECRET"))
    return TaxisNetSettings(address, client, secret, realm)


def _scanner(environment: Mapping[str, str]) -> tuple[str, int] | None:
    host = environment.get("ASTY_CITIZEN_CLAMD_HOST")
    return (host, _port("ASTY_CITIZEN_CLAMD_PORT", environment.get("ASTY_CITIZEN_CLAMD_PORT", "3310"))) if host else None


def _oidc(environment: Mapping[str, str]) -> OidcSettings | None:
    issuer = environment.get("ASTY_CITIZEN_OIDC_ISSUER", "").rstrip("/")
    if not issuer:
        return None
    client, secret = (_needed(environment, f"ASTY_CITIZEN_OIDC_{name}", "the directory's registration") for name in ("CLIENT", "SECRET"))
    return OidcSettings(issuer, client, secret)


def _notices(environment: Mapping[str, str], *, production: bool) -> NoticeSettings:
    how = environment.get("ASTY_CITIZEN_NOTICES", "")
    if how not in ("", "console"):
        raise SettingsError(f"ASTY_CITIZEN_NOTICES is {how!r}: expected console, or nothing")
    found = NoticeSettings(
        smpp=_smpp(environment),
        gateway=_gateway(environment),
        mailbox=_mailbox(environment),
        push_key=environment.get("ASTY_CITIZEN_PUSH_KEY") or None,
        push_contact=environment.get("ASTY_CITIZEN_PUSH_CONTACT", ""),
        console=how == "console" or not production,
    )
    if found.smpp is not None and found.gateway is not None:
        raise SettingsError("ASTY_CITIZEN_SMS_HOST and ASTY_CITIZEN_SMS_GATEWAY are both set: expected one way for short messages")
    if found.push_key is not None and not found.push_contact.startswith("mailto:"):
        raise SettingsError(f"ASTY_CITIZEN_PUSH_CONTACT is {found.push_contact!r}: expected mailto: and an address")
    if not found.console and not (found.smpp or found.gateway or found.mailbox):
        raise SettingsError(
            "no carrier of notices is set up with ASTY_PRODUCTION: expected ASTY_CITIZEN_SMS_HOST, ASTY_CITIZEN_SMS_GATEWAY or"
            " ASTY_CITIZEN_SMTP_HOST; ASTY_CITIZEN_NOTICES=console prints them instead"
        )
    return found


def _smpp(environment: Mapping[str, str]) -> SmppSettings | None:
    host = environment.get("ASTY_CITIZEN_SMS_HOST", "")
    if not host:
        return None
    user, password, sender = (_needed(environment, f"ASTY_CITIZEN_SMS_{name}", "the operator") for name in ("USER", "PASSWORD", "SENDER"))
    port = _port("ASTY_CITIZEN_SMS_PORT", environment.get("ASTY_CITIZEN_SMS_PORT", "2775"))
    return SmppSettings(host, port, user, password, sender, tls=environment.get("ASTY_CITIZEN_SMS_TLS", "") not in ("", "0"))


def _gateway(environment: Mapping[str, str]) -> GatewaySettings | None:
    address = environment.get("ASTY_CITIZEN_SMS_GATEWAY", "").rstrip("/")
    if not address:
        return None
    key, sender = (_needed(environment, f"ASTY_CITIZEN_SMS_{name}", "the gateway's registration") for name in ("KEY", "SENDER"))
    return GatewaySettings(address, key, sender)


def _mailbox(environment: Mapping[str, str]) -> MailSettings | None:
    host = environment.get("ASTY_CITIZEN_SMTP_HOST", "")
    if not host:
        return None
    given = environment.get("ASTY_CITIZEN_SMTP_SECURITY", "starttls")
    if (security := SECURITIES.get(given)) is None:
        raise SettingsError(f"ASTY_CITIZEN_SMTP_SECURITY is {given!r}: expected starttls, tls or none")
    return MailSettings(
        host,
        _port("ASTY_CITIZEN_SMTP_PORT", environment.get("ASTY_CITIZEN_SMTP_PORT", "587")),
        _needed(environment, "ASTY_CITIZEN_SMTP_SENDER", "the municipality, an address such as no-reply@example.gr"),
        environment.get("ASTY_CITIZEN_MUNICIPALITY", ""),
        security,
        environment.get("ASTY_CITIZEN_SMTP_USER", ""),
        environment.get("ASTY_CITIZEN_SMTP_PASSWORD", ""),
    )


def _bank(environment: Mapping[str, str], *, production: bool) -> BankSettings | None:
    address = environment.get("ASTY_CITIZEN_BANK_ADDRESS", "").rstrip("/")
    if not address:
        return None
    organisation = environment.get("ASTY_CITIZEN_BANK_ORGANISATION", "" if production else TEST_ORGANISATION)
    if len(organisation) != 5 or not (organisation.isascii() and organisation.isdigit()):
        raise SettingsError(f"ASTY_CITIZEN_BANK_ORGANISATION is {organisation!r}: expected the five digits that the bank gave for DIAS")
    return BankSettings(address, _needed(environment, "ASTY_CITIZEN_BANK_SECRET", "the bank's contract"), organisation)


def _documents(environment: Mapping[str, str]) -> DocumentSystemSettings | None:
    address = environment.get("ASTY_CITIZEN_DOCUMENTS_ADDRESS", "").rstrip("/")
    if not address:
        return None
    if address == "console":
        return DocumentSystemSettings(address, "")
    return DocumentSystemSettings(address, _needed(environment, "ASTY_CITIZEN_DOCUMENTS_SECRET", "the document system's vendor"))


def _needed(environment: Mapping[str, str], variable: str, source: str) -> str:
    if not (value := environment.get(variable, "")):
        raise SettingsError(f"{variable} is missing: expected the value from {source}")
    return value


def _address(text: str, *, production: bool) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise SettingsError(f"ASTY_CITIZEN_ADDRESS is {text!r}: expected scheme and host alone, such as https://polites.example.gr")
    if production and parts.scheme != "https":
        raise SettingsError(f"ASTY_CITIZEN_ADDRESS is {text!r}: expected https:// with ASTY_PRODUCTION, since sign-in cookies cross it")
    return f"{parts.scheme}://{parts.netloc}"


def _port(variable: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError(f"{variable} is {text!r}: expected a port from 1 to 65535")
    return int(text)


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"ASTY_TIMEZONE is {text!r}: expected a time zone such as Europe/Athens") from error
