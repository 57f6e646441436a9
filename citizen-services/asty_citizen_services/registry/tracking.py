"""The code beside a protocol number with which its holder asks how the case stands, without signing in."""

import hmac
import uuid

DIGITS = 8


def code(secret: str, application: uuid.UUID) -> str:
    """Return the eight digits of an application as they are written on its receipt: `4821 7730`."""
    number = int.from_bytes(hmac.digest(secret.encode(), b"tracking\0" + application.bytes, "sha256")[:8]) % 10**DIGITS
    written = f"{number:0{DIGITS}d}"
    return f"{written[:4]} {written[4:]}"


def fits(secret: str, application: uuid.UUID, typed: str) -> bool:
    """Tell whether somebody typed the code of an application; spaces don't count. Guesses are to be limited by whoever asks."""
    digits = "".join(typed.split())
    return digits.isascii() and hmac.compare_digest(digits, code(secret, application).replace(" ", ""))
