"""The town's two authorities. `town` signs edges, broker and services, and the broker trusts it; `claims` signs claims, which
open nothing but the enrolment address. The profiles follow RFC 5280; each certificate is signed by its authority directly.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from asty_contracts.enrolment import CLAIM_PREFIX
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from asty_cloud_api.enrolment import keys

AUTHORITY_LIFE = timedelta(days=20 * 365)
EDGE_LIFE = timedelta(days=365)
SERVICE_LIFE = timedelta(days=825)
CLAIM_LIFE = timedelta(days=7)
CUTTING_LIFE = timedelta(minutes=5)
SKEW = timedelta(minutes=5)
"""A certificate is valid this much before it is made, for clocks that go slow."""

BROKER = "asty-broker"
_CLIENT, _SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
PublicKey = ec.EllipticCurvePublicKey


class NoAuthorityError(Exception):
    """The folder holds no authority, or not this town's: says which file and what to do."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """One line of the revocation list."""

    serial: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Authority:
    """One self-signed authority with its key."""

    key: ec.EllipticCurvePrivateKey
    cert: x509.Certificate

    @classmethod
    def create(cls, name: str, org: str, now: datetime) -> "Authority":
        key = keys.new_key()
        subject = _name(f"Asty {org} {name}", org)
        builder = (
            _builder(subject, subject, key.public_key(), key.public_key(), now, now + AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
        )
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def org(self) -> str:
        return common(self.cert.subject, NameOID.ORGANIZATION_NAME)

    def edge(self, edge: str, key: PublicKey, now: datetime, life: timedelta = EDGE_LIFE) -> x509.Certificate:
        """Sign an edge's certificate: CN is its id, which the broker takes as its user."""
        return self._sign(edge, key, now, life, [_CLIENT])

    def claim(self, edge: str, key: PublicKey, now: datetime) -> x509.Certificate:
        return self._sign(CLAIM_PREFIX + edge, key, now, CLAIM_LIFE, [_CLIENT])

    def service(self, name: str, key: PublicKey, now: datetime) -> x509.Certificate:
        """Sign the certificate of ingest or stream, as the broker's client."""
        return self._sign(name, key, now, SERVICE_LIFE, [_CLIENT])

    def broker(self, names: Sequence[str], key: PublicKey, now: datetime) -> x509.Certificate:
        """Sign the broker's own certificate for the names and addresses at which it is reached."""
        return self._sign(BROKER, key, now, SERVICE_LIFE, [_SERVER], x509.SubjectAlternativeName([_host(name) for name in names]))

    def signed(self, cert: x509.Certificate) -> bool:
        """Tell whether this authority signed the certificate itself; says nothing of its time."""
        try:
            cert.verify_directly_issued_by(self.cert)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def revocations(self, revoked: Iterable[Revoked], before: x509.CertificateRevocationList | None, now: datetime) -> bytes:
        """Return the revocation list, PEM.

        It never runs out before its authority does: a broker refuses everybody once its list is past its time, and here the
        list is not fetched but put beside the broker at each revocation. Of two lists OpenSSL believes the later one, by whole
        seconds: so the time of issue goes back a little and always forward from the list before.
        """
        issued = (now - SKEW).replace(microsecond=0)
        if before is not None:
            issued = max(issued, before.last_update_utc + timedelta(seconds=1))
        builder = x509.CertificateRevocationListBuilder(self.cert.subject, issued, self.cert.not_valid_after_utc)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(one.at)
            builder = builder.add_revoked_certificate(entry.build())
        builder = builder.add_extension(_of_issuer(self.key.public_key()), critical=False)
        number = before.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1 if before is not None else 1
        return keys.pem(builder.add_extension(x509.CRLNumber(number), critical=False).sign(self.key, hashes.SHA256()))

    def _sign(
        self,
        name: str,
        key: PublicKey,
        now: datetime,
        life: timedelta,
        purposes: list[x509.ObjectIdentifier],
        hosts: x509.SubjectAlternativeName | None = None,
    ) -> x509.Certificate:
        end = min(now + life, self.cert.not_valid_after_utc)
        builder = _builder(_name(name, self.org), self.cert.subject, key, self.key.public_key(), now, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(authority=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if hosts is not None:
            builder = builder.add_extension(hosts, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def common(name: x509.Name, oid: x509.ObjectIdentifier = NameOID.COMMON_NAME) -> str:
    """Return the one attribute of that kind; empty when there is none or more than one."""
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if len(found) == 1 else ""


def load(folder: Path, name: str) -> Authority:
    """Read an authority. Raises NoAuthorityError."""
    try:
        key = keys.load_key(folder / f"{name}.key")
        cert = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
    except OSError as error:
        raise NoAuthorityError(f"{error.filename}: {error.strerror}; run `asty enrol prepare`, or check ASTY_CA_FOLDER") from error
    except ValueError as error:
        raise NoAuthorityError(f"{folder}/{name}: {error}; put the authority's files back from the backup") from error
    if cert.public_key() != key.public_key():
        raise NoAuthorityError(f"{folder}/{name}.key is not the key of {name}.pem; put both back from one backup")
    return Authority(key, cert)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, issuer_key: PublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_of_issuer(issuer_key), critical=False)
    )


def _of_issuer(key: PublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _name(name: str, org: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, org), x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
