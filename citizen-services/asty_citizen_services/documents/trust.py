"""Whom the municipality trusts: the authorities whose certificates lie in a folder."""

from collections.abc import Iterator
from pathlib import Path

from asn1crypto import pem, x509
from asty_process.environment import OperatorError


class TrustError(OperatorError):
    """A file of the folder of authorities is no certificate: says which."""


def read(folder: Path | None) -> tuple[x509.Certificate, ...]:
    """Read every .pem and .crt of a folder; none without one. Raises TrustError, OSError."""
    return tuple(_all(folder)) if folder is not None else ()


def _all(folder: Path) -> Iterator[x509.Certificate]:
    for path in sorted([*folder.glob("*.pem"), *folder.glob("*.crt")]):
        body = path.read_bytes()
        try:
            found = [der for _, _, der in pem.unarmor(body, multiple=True)] if pem.detect(body) else [body]
            yield from (x509.Certificate.load(der) for der in found)
        except ValueError as error:
            raise TrustError(f"{path}: no certificate: {error}") from error
