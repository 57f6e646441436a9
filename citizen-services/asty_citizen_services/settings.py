"""The settings of the process, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from asty_process.environment import Environment

ATHENS = ZoneInfo("Europe/Athens")
LEAST_SECRET = 24
TEST_ORGANISATION = "99999"
"""Stands for the organisation code of DIAS, which the bank gives, on a laptop."""
type Security = Literal["starttls", "tls", "none"]
SECURITIES: tuple[Security, ...] = ("starttls", "tls", "none")
REALMS = ("oauth2server", "oauth2serverotp")


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

    `processes` is how many answer requests, one per core. `scanner` is where clamd listens, None where there is none.
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
    processes: int = 1
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


def read(variables: Mapping[str, str] = os.environ) -> Settings:  # noqa: TID251  this is the one place
    """Raises SettingsError."""
    environment = Environment(variables)
    secret = environment.text("ASTY_CITIZEN_SECRET")
    if len(secret) < LEAST_SECRET:
        environment.wrong(f"ASTY_CITIZEN_SECRET has {len(secret)} characters: expected {LEAST_SECRET} or more, random and kept")
    org, port = environment.town(), environment.port("ASTY_CITIZEN_PORT", 8420)
    chosen = Settings(
        org=org,
        dsn=environment.database(),
        secret=secret,
        municipality=environment.text("ASTY_CITIZEN_MUNICIPALITY", org),
        address=_address(environment, f"http://localhost:{port}"),
        host=environment.text("ASTY_CITIZEN_HOST", "127.0.0.1"),
        port=port,
        processes=environment.whole("ASTY_CITIZEN_PROCESSES", 1, 1, 64),
        zone=environment.zone(),
        production=environment.is_production(),
        procedures=environment.path("ASTY_CITIZEN_PROCEDURES"),
        taxisnet=_taxisnet(environment),
        scanner=_scanner(environment),
        oidc=_oidc(environment),
        trust=environment.path("ASTY_CITIZEN_TRUST"),
        timestamps=environment.optional("ASTY_CITIZEN_TIMESTAMPS"),
        notices=_notices(environment),
        bank=_bank(environment),
        documents=_documents(environment),
    )
    environment.done()
    return chosen


def is_production(variables: Mapping[str, str] = os.environ) -> bool:  # noqa: TID251  this is the one place
    """Tell whether this is the municipality's own system, where no test double may start."""
    return Environment(variables).is_production()


def procedures(variables: Mapping[str, str] = os.environ) -> Path | None:  # noqa: TID251  this is the one place
    """Return the folder of the municipality's own procedures, if it has one."""
    return Environment(variables).path("ASTY_CITIZEN_PROCEDURES")


def _taxisnet(environment: Environment) -> TaxisNetSettings | None:
    if not (address := environment.address("ASTY_CITIZEN_TAXISNET_ADDRESS")):
        return None
    realm = environment.one_of("ASTY_CITIZEN_TAXISNET_REALM", REALMS)
    client, secret = (
        environment.needed(f"ASTY_CITIZEN_TAXISNET_{name}", "the value from the registration at GSIS") for name in ("CLIENT", "SECRET")
    )
    return TaxisNetSettings(address, client, secret, realm)


def _scanner(environment: Environment) -> tuple[str, int] | None:
    host = environment.text("ASTY_CITIZEN_CLAMD_HOST")
    return (host, environment.port("ASTY_CITIZEN_CLAMD_PORT", 3310)) if host else None


def _oidc(environment: Environment) -> OidcSettings | None:
    if not (issuer := environment.address("ASTY_CITIZEN_OIDC_ISSUER")):
        return None
    client, secret = (
        environment.needed(f"ASTY_CITIZEN_OIDC_{name}", "the value from the directory's registration") for name in ("CLIENT", "SECRET")
    )
    return OidcSettings(issuer, client, secret)


def _notices(environment: Environment) -> NoticeSettings:
    found = NoticeSettings(
        smpp=_smpp(environment),
        gateway=_gateway(environment),
        mailbox=_mailbox(environment),
        push_key=environment.optional("ASTY_CITIZEN_PUSH_KEY"),
        push_contact=environment.text("ASTY_CITIZEN_PUSH_CONTACT"),
        console=environment.one_of("ASTY_CITIZEN_NOTICES", ("", "console")) == "console" or not environment.is_production(),
    )
    if found.smpp is not None and found.gateway is not None:
        environment.wrong("ASTY_CITIZEN_SMS_HOST and ASTY_CITIZEN_SMS_GATEWAY are both set: expected one way for short messages")
    if found.push_key is not None and not found.push_contact.startswith("mailto:"):
        environment.refuse("ASTY_CITIZEN_PUSH_CONTACT", "mailto: and an address")
    if not found.console and not (found.smpp or found.gateway or found.mailbox):
        environment.wrong(
            "no carrier of notices is set up with ASTY_PRODUCTION: expected ASTY_CITIZEN_SMS_HOST, ASTY_CITIZEN_SMS_GATEWAY or"
            " ASTY_CITIZEN_SMTP_HOST; ASTY_CITIZEN_NOTICES=console prints them instead"
        )
    return found


def _smpp(environment: Environment) -> SmppSettings | None:
    if not (host := environment.text("ASTY_CITIZEN_SMS_HOST")):
        return None
    user, password, sender = (
        environment.needed(f"ASTY_CITIZEN_SMS_{name}", "the value from the operator") for name in ("USER", "PASSWORD", "SENDER")
    )
    return SmppSettings(
        host, environment.port("ASTY_CITIZEN_SMS_PORT", 2775), user, password, sender, tls=environment.is_on("ASTY_CITIZEN_SMS_TLS")
    )


def _gateway(environment: Environment) -> GatewaySettings | None:
    if not (address := environment.address("ASTY_CITIZEN_SMS_GATEWAY")):
        return None
    key, sender = (
        environment.needed(f"ASTY_CITIZEN_SMS_{name}", "the value from the gateway's registration") for name in ("KEY", "SENDER")
    )
    return GatewaySettings(address, key, sender)


def _mailbox(environment: Environment) -> MailSettings | None:
    if not (host := environment.text("ASTY_CITIZEN_SMTP_HOST")):
        return None
    return MailSettings(
        host,
        environment.port("ASTY_CITIZEN_SMTP_PORT", 587),
        environment.needed("ASTY_CITIZEN_SMTP_SENDER", "the municipality's address for notices, such as no-reply@example.gr"),
        environment.text("ASTY_CITIZEN_MUNICIPALITY"),
        environment.one_of("ASTY_CITIZEN_SMTP_SECURITY", SECURITIES),
        environment.text("ASTY_CITIZEN_SMTP_USER"),
        environment.text("ASTY_CITIZEN_SMTP_PASSWORD"),
    )


def _bank(environment: Environment) -> BankSettings | None:
    if not (address := environment.address("ASTY_CITIZEN_BANK_ADDRESS")):
        return None
    organisation = environment.text("ASTY_CITIZEN_BANK_ORGANISATION", "" if environment.is_production() else TEST_ORGANISATION)
    if len(organisation) != 5 or not (organisation.isascii() and organisation.isdigit()):
        environment.refuse("ASTY_CITIZEN_BANK_ORGANISATION", "the five digits that the bank gave for DIAS")
    return BankSettings(address, environment.needed("ASTY_CITIZEN_BANK_SECRET", "the value from the bank's contract"), organisation)


def _documents(environment: Environment) -> DocumentSystemSettings | None:
    if not (address := environment.address("ASTY_CITIZEN_DOCUMENTS_ADDRESS")):
        return None
    if address == "console":
        return DocumentSystemSettings(address, "")
    return DocumentSystemSettings(
        address, environment.needed("ASTY_CITIZEN_DOCUMENTS_SECRET", "the value from the document system's vendor")
    )


def _address(environment: Environment, default: str) -> str:
    parts = urlsplit(environment.text("ASTY_CITIZEN_ADDRESS", default))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        environment.refuse("ASTY_CITIZEN_ADDRESS", "scheme and host alone, such as https://polites.example.gr")
    elif environment.is_production() and parts.scheme != "https":
        environment.refuse("ASTY_CITIZEN_ADDRESS", "https:// with ASTY_PRODUCTION, since sign-in cookies cross it")
    return f"{parts.scheme}://{parts.netloc}"
