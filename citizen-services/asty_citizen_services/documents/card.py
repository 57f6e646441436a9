"""Signing with a card or token in the server's own reader, over PKCS#11."""

import asyncio
from dataclasses import dataclass

from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session

from asty_citizen_services.documents.signing import KeySigner, Mark, NotSignedError


@dataclass(frozen=True, slots=True)
class Card:
    """`module` is the path of the maker's library, `token` the card's label, `label` that of its key and certificate."""

    module: str
    token: str
    label: str


class CardSigner:
    """Signs with a card; `pin` opens it for this one signature."""

    def __init__(self, card: Card, pin: str, timestamps: str | None = None) -> None:
        self._card, self._pin, self._timestamps = card, pin, timestamps

    async def sign(self, pdf: bytes, mark: Mark, field: str) -> bytes:
        """Raises NotSignedError."""
        try:
            session = await asyncio.to_thread(
                open_pkcs11_session, self._card.module, token_criteria=TokenCriteria(label=self._card.token), user_pin=self._pin
            )
        except Exception as error:  # the maker's library fails in its own ways
            raise NotSignedError(f"the card does not open ({error}); check that it is in the reader, and its PIN") from error
        try:
            key = PKCS11Signer(session, cert_label=self._card.label, key_label=self._card.label)
            return await KeySigner(key, self._timestamps).sign(pdf, mark, field)
        finally:
            session.close()
