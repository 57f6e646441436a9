"""The document system as we see it: a port, its adapter over REST, and a twin that prints."""

import logging
import time
from collections.abc import Mapping
from typing import Protocol

import httpx
import msgspec

from asty_citizen_services.handover.contract import KEY, SIGNATURE, Entry, sign
from asty_citizen_services.settings import DocumentSystemSettings

log = logging.getLogger(__name__)


class AwayError(Exception):
    """The document system does not answer, or not now; it is tried again."""


class RefusedBySystemError(Exception):
    """The document system will not take this entry: somebody has to look at it."""


class DocumentSystem(Protocol):
    """Takes entries of our protocol."""

    def register(self, entry: Entry, files: Mapping[str, bytes]) -> str:
        """Hand an entry over with its files; the same one again is one. Return its id there. Raises AwayError, RefusedBySystemError."""


class Console:
    """Writes each entry to the log."""

    def register(self, entry: Entry, files: Mapping[str, bytes]) -> str:
        log.info("event=handover reference=%s subject=%r files=%d", entry.reference, entry.subject, len(files))
        return f"console-{entry.id}"


class Rest:
    """Speaks the contract of docs/handover.md."""

    def __init__(self, settings: DocumentSystemSettings, *, timeout: float = 30) -> None:
        self._address, self._secret, self._timeout = settings.address, settings.secret, timeout

    def register(self, entry: Entry, files: Mapping[str, bytes]) -> str:
        answer = self._call("POST", "/v1/dockets", msgspec.json.encode(entry), entry.id, "application/json")
        for file in entry.files:
            self._call("PUT", f"/v1/dockets/{entry.id}/files/{file.id}", files[file.id], file.id, file.media_type)
        try:
            return str(answer.json()["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise AwayError(f"the document system's answer has no id: {answer.text[:200]}") from error

    def _call(self, method: str, path: str, body: bytes, key: str, media_type: str) -> httpx.Response:
        headers = {SIGNATURE: sign(self._secret, body, int(time.time())), KEY: key, "content-type": media_type}
        try:
            answer = httpx.request(method, self._address + path, content=body, headers=headers, timeout=self._timeout)
        except httpx.HTTPError as error:
            raise AwayError(f"the document system at {self._address} does not answer: {error}") from error
        if answer.status_code in (400, 404, 409, 413, 415, 422):
            raise RefusedBySystemError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        if answer.status_code not in (200, 201, 204):
            raise AwayError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer


def chosen(settings: DocumentSystemSettings) -> DocumentSystem:
    """Return what the settings name: `console` prints."""
    return Console() if settings.address == "console" else Rest(settings)
