"""The authorities' folder (ASTY_CA_FOLDER).

town.key, town.pem       signs edges, broker and services      claims.key, claims.pem    signs claims
broker/                  all that the broker reads: ca.pem, broker.pem, broker.key, crl.pem
services/                NAME.pem and NAME.key of ingest and stream, clients of the broker
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asty_contracts.ids import is_name
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from asty_cloud_api.enrolment import authority, keys
from asty_cloud_api.enrolment.authority import Authority, NoAuthorityError, Revoked

TOWN, CLAIMS = "town", "claims"
LEAST_LEFT = 1 / 3
_SERVICE = re.compile(r"asty-(?:ingest|stream)(?:-\d{1,3})?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")


class WrongNameError(Exception):
    """A name that can't stand in a certificate: says which and what was expected."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one town's authorities."""

    path: Path

    @property
    def broker(self) -> Path:
        return self.path / "broker"

    @property
    def services(self) -> Path:
        return self.path / "services"

    def town(self) -> Authority:
        """Raises NoAuthorityError."""
        return authority.load(self.path, TOWN)

    def claims(self) -> Authority:
        """Raises NoAuthorityError."""
        return authority.load(self.path, CLAIMS)

    def prepare(self, org: str, hosts: Sequence[str], services: Sequence[str], now: datetime) -> list[str]:
        """Make what is missing or due: authorities, the broker's certificate for `hosts`, one for each of `services`.

        Returns what was made; run again it makes nothing. Raises NoAuthorityError, WrongNameError.
        """
        for name in services:
            if not _SERVICE.fullmatch(name):
                raise WrongNameError(
                    f"{name!r} is no service of the broker: expected asty-ingest or asty-stream, with -1, -2, … for several"
                )
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise WrongNameError(f"{host!r} is neither a host name nor an address")
        made = [name for name in (TOWN, CLAIMS) if self._create(name, org, now)]
        town = self.town()
        if town.org != org:
            raise NoAuthorityError(f"{self.path} holds the authority of {town.org!r}, this town is {org!r}: set ASTY_ORG or ASTY_CA_FOLDER")
        keys.write(self.broker / "ca.pem", keys.pem(town.cert), keys.PUBLIC_MODE)
        if hosts and not _serves(self.broker / "broker.pem", town, hosts, now):
            key = keys.new_key()
            self._put(self.broker / "broker", key, town.broker(hosts, key.public_key(), now))
            made.append(authority.BROKER)
        for name in services:
            if not _serves(self.services / f"{name}.pem", town, (), now):
                key = keys.new_key()
                self._put(self.services / name, key, town.service(name, key.public_key(), now))
                made.append(name)
        if not (self.broker / "crl.pem").exists():
            self.write_revocations((), now)
        return made

    def write_revocations(self, revoked: Sequence[Revoked], now: datetime) -> None:
        """Write the list that the broker reads. Raises NoAuthorityError."""
        path = self.broker / "crl.pem"
        before = x509.load_pem_x509_crl(path.read_bytes()) if path.exists() else None
        keys.write(path, self.town().revocations(revoked, before, now), keys.PUBLIC_MODE)

    def _create(self, name: str, org: str, now: datetime) -> bool:
        if not is_name(org):
            raise WrongNameError(f"{org!r} can't name a town: expected 1 to 32 of a-z, 0-9 and inner hyphens")
        if (self.path / f"{name}.pem").exists():
            return False
        new = Authority.create(name, org, now)
        self._put(self.path / name, new.key, new.cert)
        return True

    def _put(self, stem: Path, key: ec.EllipticCurvePrivateKey, cert: x509.Certificate) -> None:
        keys.write(stem.with_name(f"{stem.name}.key"), keys.key_pem(key), keys.KEY_MODE)
        keys.write(stem.with_name(f"{stem.name}.pem"), keys.pem(cert), keys.PUBLIC_MODE)


def _serves(path: Path, town: Authority, hosts: Sequence[str], now: datetime) -> bool:
    """Tell whether a certificate is there, of this authority, for these hosts, and not due."""
    try:
        cert = x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        return False
    life = cert.not_valid_after_utc - cert.not_valid_before_utc
    if not town.signed(cert) or cert.not_valid_after_utc - now < life * LEAST_LEFT:
        return False
    return not hosts or _hosts(cert) == set(hosts)


def _hosts(cert: x509.Certificate) -> set[str]:
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}
