"""A stand-in for a remote signing service (Cloud Signature Consortium, API 1.0.4) with one marked credential.

It keeps the protocol strictly and never starts in production.
"""

import base64
import binascii
import secrets
import time
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

SAD_SECONDS = 60.0
SHA256_OID, ECDSA_SHA256_OID = "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2"


@dataclass(frozen=True, slots=True)
class Credential:
    """What the service keeps: a PKCS#12 file and its passphrase, under an id, for whoever brings `token`, allowed by `pin`."""

    id: str
    key_file: bytes
    passphrase: str
    token: str
    pin: str


class _BrokenRulesError(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def create_app(credential: Credential, *, production: bool) -> FastAPI:
    """Return the stand-in. Raises ValueError in production."""
    if production:
        raise ValueError("a stand-in for a signing service does not start with ASTY_PRODUCTION")
    app = FastAPI(openapi_url=None)
    double = _Double(credential)
    app.add_api_route("/csc/v1/credentials/info", double.info, methods=["POST"])
    app.add_api_route("/csc/v1/credentials/authorize", double.authorize, methods=["POST"])
    app.add_api_route("/csc/v1/signatures/signHash", double.sign, methods=["POST"])

    @app.exception_handler(_BrokenRulesError)
    async def refuse(_request: Request, error: _BrokenRulesError) -> JSONResponse:
        return JSONResponse({"error": error.error, "error_description": error.description}, error.status)

    return app


class _Double:
    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        key, certificate, others = pkcs12.load_key_and_certificates(credential.key_file, credential.passphrase.encode())
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert certificate is not None
        self._key, self._chain = key, [certificate, *others]
        self._allowed: dict[str, tuple[tuple[str, ...], float]] = {}

    async def info(self, request: Request) -> dict[str, Any]:
        await self._asked(request)
        chain = [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in self._chain]
        return {
            "key": {"status": "enabled", "algo": [ECDSA_SHA256_OID], "len": 256, "curve": "1.2.840.10045.3.1.7"},
            "cert": {"status": "valid", "certificates": chain},
            "authMode": "explicit",
            "SCAL": "2",
            "PIN": {"presence": "true", "format": "A"},
            "multisign": 1,
        }

    async def authorize(self, request: Request) -> dict[str, Any]:
        asked = await self._asked(request)
        hashes = asked.get("hash")
        if asked.get("numSignatures") != 1 or not isinstance(hashes, list) or len(hashes) != 1:
            raise _BrokenRulesError(400, "invalid_request", "one signature of one hash is allowed at a time")
        if not secrets.compare_digest(str(asked.get("PIN", "")).encode(), self._credential.pin.encode()):
            raise _BrokenRulesError(400, "invalid_pin", "The PIN is invalid")
        sad = secrets.token_urlsafe(24)
        self._allowed[sad] = tuple(hashes), time.monotonic() + SAD_SECONDS
        return {"SAD": sad, "expiresIn": int(SAD_SECONDS)}

    async def sign(self, request: Request) -> dict[str, Any]:
        asked = await self._asked(request)
        allowed, until = self._allowed.pop(str(asked.get("SAD", "")), ((), 0.0))
        if until < time.monotonic() or tuple(asked.get("hash") or ()) != allowed:
            raise _BrokenRulesError(400, "invalid_request", "Invalid parameter SAD: it does not allow these hashes")
        if asked.get("signAlgo") != ECDSA_SHA256_OID and asked.get("hashAlgo") != SHA256_OID:
            raise _BrokenRulesError(400, "invalid_request", "Invalid parameter signAlgo")
        digest = self._digest(allowed[0])
        signed = self._key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
        return {"signatures": [base64.b64encode(signed).decode()]}

    async def _asked(self, request: Request) -> dict[str, Any]:
        if not secrets.compare_digest(request.headers.get("authorization", ""), f"Bearer {self._credential.token}"):
            raise _BrokenRulesError(401, "invalid_token", "The access token is invalid")
        asked: dict[str, Any] = await request.json()
        if asked.get("credentialID") != self._credential.id:
            raise _BrokenRulesError(400, "invalid_request", "Invalid parameter credentialID")
        return asked

    def _digest(self, text: str) -> bytes:
        try:
            digest = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise _BrokenRulesError(400, "invalid_request", "Invalid Base64 hash") from error
        if len(digest) != SHA256.digest_size:
            raise _BrokenRulesError(400, "invalid_request", "The hash is not of SHA-256")
        return digest
