"""An authority for tests and demos, plainly marked: nobody else trusts it, and it refuses to issue in production."""

from datetime import datetime, timedelta
from pathlib import Path

from asty_process.environment import OperatorError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

MARK, WORTH = "ΔΟΚΙΜΑΣΤΙΚΗ ΑΡΧΗ ASTY", "ΧΩΡΙΣ ΝΟΜΙΚΗ ΙΣΧΥ"
YEARS = 5


class NotInProductionError(OperatorError):
    """The demo authority is for tests and demos alone."""


class DemoAuthority:
    """Issues signing keys that expire in a year. `folder` holds its own key and certificate."""

    def __init__(self, folder: Path, *, production: bool) -> None:
        if production:
            raise NotInProductionError(
                "the demo authority does not start with ASTY_PRODUCTION: give employees keys of a qualified provider"
            )
        self._folder = folder

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self._folder / "demo-ca.pem").read_bytes())

    def prepare(self, now: datetime) -> None:
        """Make the authority's own key, once."""
        if (self._folder / "demo-ca.pem").exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(MARK, WORTH)
        made = (
            _certificate(name, name, key.public_key(), now, timedelta(days=365 * YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        secret = self._folder / "demo-ca.key"
        secret.touch(0o600)
        secret.write_bytes(private)
        (self._folder / "demo-ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, office: str, passphrase: str, now: datetime) -> bytes:
        """Return a PKCS#12 file with a fresh signing key for one employee."""
        loaded = serialization.load_pem_private_key((self._folder / "demo-ca.key").read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name, office)
        certificate = (
            _certificate(subject, self.certificate.subject, key.public_key(), now, timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .sign(loaded, hashes.SHA256())
        )
        protection = serialization.BestAvailableEncryption(passphrase.encode())
        return pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, [self.certificate], protection)


def _name(name: str, office: str) -> x509.Name:
    """Name a subject; the library counts its 64 characters in bytes, of which a Greek letter has two."""
    parts = ((NameOID.COMMON_NAME, name), (NameOID.ORGANIZATIONAL_UNIT_NAME, office), (NameOID.COUNTRY_NAME, "GR"))
    return x509.Name([x509.NameAttribute(oid, text.encode()[:64].decode(errors="ignore")) for oid, text in parts])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, length: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + length)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
