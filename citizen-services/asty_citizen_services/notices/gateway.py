"""Short messages by a gateway that speaks HTTP: JSON out, receipts back by a signed call. docs/notices.md has the contract."""

import httpx

from asty_citizen_services.identity.notifier import NotSentError
from asty_citizen_services.notices import gsm7
from asty_citizen_services.notices.carrier import Parcel, RefusedByCarrierError


class Gateway:
    """The carrier of short messages over HTTP. The gateway knows a message again by its `Idempotency-Key`."""

    repeatable = True

    def __init__(self, address: str, key: str, sender: str, *, timeout: float = 10) -> None:
        self._address, self._key, self._sender, self._timeout = address.rstrip("/"), key, sender, timeout

    def send(self, parcel: Parcel) -> tuple[str, ...]:
        """Hand a message over. Raises as `Carrier.send` says; never UnclearError."""
        planned = gsm7.plan(parcel.text)
        said = {
            "id": parcel.reference,
            "from": self._sender,
            "to": parcel.address,
            "text": planned.text,
            "coding": planned.coding,
            "segments": planned.segments,
        }
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": parcel.reference}
        try:
            answer = httpx.post(f"{self._address}/messages", json=said, headers=headers, timeout=self._timeout)
        except httpx.HTTPError as error:
            raise NotSentError(f"the gateway at {self._address} does not answer: {error}") from error
        if answer.status_code in (400, 404, 422):
            raise RefusedByCarrierError(f"the gateway refuses the message: {answer.status_code} {answer.text[:200]}")
        if answer.status_code not in (200, 202):
            raise NotSentError(f"the gateway says {answer.status_code}: {answer.text[:200]}")
        try:
            return (str(answer.json()["id"]),)
        except (ValueError, KeyError, TypeError) as error:
            raise NotSentError(f"the gateway's answer has no id: {answer.text[:200]}") from error
