"""Signing with a key that a trust service keeps: the Cloud Signature Consortium's API, version 1."""

from dataclasses import dataclass

import aiohttp
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.csc_signer import (
    CSCAuthorizationInfo,
    CSCAuthorizationManager,
    CSCCredentialInfo,
    CSCServiceSessionInfo,
    CSCSigner,
    fetch_certs_in_csc_credential,
)

from asty_citizen_services.documents.signing import KeySigner, Mark, NotSignedError

SECONDS = 30


@dataclass(frozen=True, slots=True)
class Service:
    """Where the key is: the service's address, the credential's id there, and the token by which the municipality may ask."""

    address: str
    credential: str
    token: str


class CscSigner:
    """Signs with one credential; `pin` allows this one signature."""

    def __init__(self, service: Service, pin: str, timestamps: str | None = None) -> None:
        self._service, self._pin, self._timestamps = service, pin, timestamps

    async def sign(self, pdf: bytes, mark: Mark, field: str) -> bytes:
        """Raises NotSignedError."""
        told = CSCServiceSessionInfo(self._service.address.rstrip("/"), self._service.credential, self._service.token)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http:
            try:
                credential = await fetch_certs_in_csc_credential(http, told)
            except (SigningError, aiohttp.ClientError, TimeoutError) as error:
                raise NotSignedError(
                    f"the signing service does not answer ({error}); the document is unchanged; try again later"
                ) from error
            key = CSCSigner(http, _ByPin(http, told, credential, self._pin), sign_timeout=SECONDS)
            return await KeySigner(key, self._timestamps).sign(pdf, mark, field)


class _ByPin(CSCAuthorizationManager):
    """Asks the service for leave to sign one hash, with its owner's PIN."""

    def __init__(self, http: aiohttp.ClientSession, service: CSCServiceSessionInfo, credential: CSCCredentialInfo, pin: str) -> None:
        super().__init__(service, credential)
        self._http, self._pin = http, pin

    async def authorize_signature(self, hash_b64s: list[str]) -> CSCAuthorizationInfo:
        asked = self.format_csc_auth_request(num_signatures=len(hash_b64s), pin=self._pin, hash_b64s=hash_b64s)
        address = f"{self.csc_session_info.service_url}/csc/v1/credentials/authorize"
        async with self._http.post(address, json=asked, headers=self.csc_session_info.auth_headers) as answer:
            said = await answer.json()
            if answer.status != 200:
                raise SigningError(f"the service refuses: {said.get('error_description') or said.get('error')}")
            return self.parse_csc_auth_response(said)
