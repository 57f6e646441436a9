"""Web push (RFC 8030, 8291, 8292): encrypted for one browser, handed to its vendor, signed by the municipality's VAPID key."""

import json

import requests
from py_vapid import Vapid02
from pywebpush import WebPushException, webpush

from asty_citizen_services.identity.notifier import NotSentError
from asty_citizen_services.notices.carrier import Parcel, RefusedByCarrierError

LASTS = 3 * 24 * 3600
"""Seconds for which the vendor keeps a message for a browser that is off."""
GONE = (404, 410)


class Push:
    """The carrier of web push; a topic makes the vendor fold a repeated message that was not shown yet."""

    repeatable = True

    def __init__(self, key: str, contact: str, *, timeout: float = 10) -> None:
        """`key` is a private key of P-256 as base64url, `contact` a mailto: address for the vendor."""
        self._vapid = Vapid02.from_string(private_key=key)
        self._contact, self._timeout = contact, timeout

    def send(self, parcel: Parcel) -> tuple[str, ...]:
        """Hand a message to the browser's vendor. Raises NotSentError, RefusedByCarrierError (the subscription is gone)."""
        said = json.dumps({"id": parcel.reference, "title": parcel.subject, "body": parcel.text, "link": parcel.link}, ensure_ascii=False)
        topic = parcel.reference.replace("-", "")[:32]
        try:
            answer = webpush(
                json.loads(parcel.address), said, vapid_private_key=self._vapid, vapid_claims={"sub": self._contact}, ttl=LASTS,
                timeout=self._timeout, headers={"Topic": topic, "Urgency": "normal"},
            )  # fmt: skip
        except WebPushException as error:
            status = error.response.status_code if error.response is not None else 0
            text = f"{status} {error.response.text[:200] if error.response is not None else error}"
            if status in GONE or status in (400, 413):
                raise RefusedByCarrierError(text) from error
            raise NotSentError(text) from error
        except requests.RequestException as error:
            raise NotSentError(f"the push service does not answer: {error}") from error
        return (answer.headers["Location"],) if "Location" in answer.headers else ()
