"""This edge's key, certificate and trusted authority as files. Whatever is cut short leaves a pair that fits.

A new key waits as `<key>.new` until its certificate is there, so asking can be broken off and taken up again with the same key.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from asty_contracts.enrolment import fingerprint
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from asty_edge.config import Config
from asty_edge.enrolment.keeping import ADDRESS_FILE

RENEW_AT = 1 / 3
"""A certificate is renewed when less than this part of its life is left."""


class IdentityError(Exception):
    """The files can't be used: says which, and what to do."""


class Address(Struct, frozen=True):
    """enrolment.json, beside the certificate: where to renew."""

    url: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Where the files lie."""

    cert: Path
    key: Path
    ca: Path

    @classmethod
    def of(cls, config: Config) -> "Identity":
        """Take [uplink.tls], and where it is missing edge.pem, edge.key and ca.pem beside the configuration."""
        tls, folder = config.uplink.tls, config.file.absolute().parent
        ca = Path(tls.ca) if tls else folder / "ca.pem"
        if tls is None or tls.cert is None or tls.key is None:
            return cls(folder / "edge.pem", folder / "edge.key", ca)
        return cls(Path(tls.cert), Path(tls.key), ca)

    @property
    def new_key(self) -> Path:
        return self.key.with_name(self.key.name + ".new")

    @property
    def new_cert(self) -> Path:
        return self.cert.with_name(self.cert.name + ".new")

    @property
    def address_file(self) -> Path:
        return self.cert.with_name(ADDRESS_FILE)

    def waiting_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the key that waits for its certificate; made now, when there is none. It never leaves this machine."""
        if self.new_key.exists():
            with suppress(IdentityError):  # cut short while it was written
                return load_key(self.new_key)
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write(self.new_key, pem, 0o600)
        return key

    def install(self, cert: str, ca: str, url: str) -> None:
        """Put the waiting key and its certificate in place, the authority and the address before them."""
        write(self.ca, ca.encode(), 0o644)
        write(self.address_file, msgspec.json.encode(Address(url)), 0o644)
        write(self.new_cert, cert.encode(), 0o644)
        self.settle()

    def settle(self) -> None:
        """Finish what a power cut broke off: a certificate that waits is put in place, its key first."""
        if not self.new_cert.exists():
            return
        wanted = load_cert(self.new_cert).public_key()
        if self.new_key.exists() and load_key(self.new_key).public_key() == wanted:
            self.new_key.replace(self.key)
        if not self.key.exists() or load_key(self.key).public_key() != wanted:
            self.new_cert.unlink()
            return
        self.new_cert.replace(self.cert)
        _keep(self.cert.parent)

    def held(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Return the certificate in force and its key. Raises IdentityError."""
        cert, key = load_cert(self.cert), load_key(self.key)
        if cert.public_key() != key.public_key():
            raise IdentityError(f"{self.cert} is not the certificate of {self.key}; enrol this edge anew with a claim")
        return cert, key

    def address(self) -> str:
        """Return where to renew. Raises IdentityError."""
        try:
            return msgspec.json.decode(self.address_file.read_bytes(), type=Address).url
        except (OSError, msgspec.MsgspecError) as error:
            raise IdentityError(f"{self.address_file}: {error}; say where with --url https://…") from error


def is_due(cert: x509.Certificate, now: datetime) -> bool:
    """Tell whether it is time to renew."""
    life = cert.not_valid_after_utc - cert.not_valid_before_utc
    return cert.not_valid_after_utc - now < life * RENEW_AT


def fingerprint_of(key: ec.EllipticCurvePublicKey) -> str:
    """Return the fingerprint that this edge and the officer compare."""
    return fingerprint(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Raises IdentityError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise IdentityError(f"{path} holds no private key that can be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError(f"{path} holds a key of another kind than EC; enrol this edge anew with a claim")
    return key


def load_cert(path: Path) -> x509.Certificate:
    """Raises IdentityError."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise IdentityError(f"{path} holds no certificate that can be read: {error}") from error


def write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place whole or not at all, on the disk before this returns. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _keep(path.parent)


def _keep(folder: Path) -> None:
    """Let the renamings of a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
