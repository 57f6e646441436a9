"""Private keys and certificates as files: a key is its owner's alone, and no file is ever half written."""

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

KEY_MODE, PUBLIC_MODE = 0o600, 0o644


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a key. Raises OSError, and ValueError when it is none of P-256."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not is_p256(public := key.public_key()):
        raise ValueError(f"{path} holds a key of another kind than EC P-256: {type(public).__name__}")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def is_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the key as SubjectPublicKeyInfo, DER: what a fingerprint is taken of."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def pem(of: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return of.public_bytes(serialization.Encoding.PEM)


def write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place whole or not at all, with its mode from the first byte on; it keeps the owner of the one it replaces."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        if path.exists() and os.geteuid() == 0:
            os.fchown(descriptor, path.stat().st_uid, path.stat().st_gid)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
