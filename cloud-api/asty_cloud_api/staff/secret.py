"""Passphrases and tokens: what the database keeps of them."""

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

LEAST, LEAST_IN_PRODUCTION, MOST = 8, 12, 200
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's least memory: 20 ms of one core
_NOBODYS = _HASHER.hash(secrets.token_urlsafe())


def token() -> str:
    """Return 32 random bytes for a cookie or a program."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    """Return what is kept of a random token."""
    return hashlib.sha256(token.encode()).digest()


def kept(passphrase: str) -> str:
    """Return what is kept of a passphrase."""
    return _HASHER.hash(passphrase)


def fits(passphrase_hash: str | None, given: str) -> bool:
    """Tell whether this is the passphrase; takes as long for an account that has none, or that is not there."""
    try:
        return _HASHER.verify(passphrase_hash or _NOBODYS, given[:MOST]) and passphrase_hash is not None
    except VerificationError:
        return False
