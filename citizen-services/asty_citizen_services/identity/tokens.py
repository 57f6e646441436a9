"""Secrets that a browser or a person holds; the database has only their hashes."""

import hashlib
import hmac
import secrets


def fresh() -> str:
    """Return 32 random bytes for a cookie or a link."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    """Return what the database keeps of a random token."""
    return hashlib.sha256(token.encode()).digest()


def six_digits() -> str:
    """Return a code that a person can type."""
    return f"{secrets.randbelow(1_000_000):06d}"


def keyed(secret: str, *parts: str) -> bytes:
    """Return a hash that can't be guessed from the database alone, for what has few values, as a code of six digits."""
    return hmac.digest(secret.encode(), "\0".join(parts).encode(), "sha256")
