"""The contract as a test that a vendor runs against his own system: what it has to take, and what it has to refuse."""

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import msgspec

from asty_citizen_services.handover.contract import KEY, SIGNATURE, TOLERANCE, Entry, File, sign
from asty_citizen_services.settings import DocumentSystemSettings

CONTENT = "Δοκιμή".encode()


def faults(settings: DocumentSystemSettings) -> Iterator[str]:
    """Yield what the document system does otherwise than the contract says. It keeps one entry that is marked as a test."""
    entry = Entry(
        id=str(uuid.uuid4()), reference="1/1900", direction="in", at=datetime.now(UTC), issuer="ΔΟΚΙΜΗ", subject="ΔΟΚΙΜΗ συμβολαίου",
        department="protokollo", case="", procedure="", answers={},
        files=(File(str(uuid.uuid4()), "δοκιμή.txt", "text/plain", hashlib.sha256(CONTENT).hexdigest()),),
    )  # fmt: skip
    body, changed = msgspec.json.encode(entry), msgspec.json.encode(msgspec.structs.replace(entry, subject="άλλο"))
    file = f"/v1/dockets/{entry.id}/files/{entry.files[0].id}"
    with httpx.Client(base_url=settings.address, timeout=30) as client:

        def call(method: str, path: str, sent: bytes, key: str, *, forged: bool = False, ago: int = 0) -> httpx.Response:
            secret = settings.secret[::-1] + "x" if forged else settings.secret
            headers = {SIGNATURE: sign(secret, sent, int(time.time()) - ago), KEY: key}
            return client.request(method, path, content=sent, headers=headers)

        promises: tuple[tuple[str, tuple[int, ...], Callable[[], httpx.Response]], ...] = (
            ("a call with a wrong signature is refused", (403,), lambda: call("POST", "/v1/dockets", body, entry.id, forged=True)),
            ("an old call is refused", (403,), lambda: call("POST", "/v1/dockets", body, entry.id, ago=2 * TOLERANCE)),
            ("what is no entry is refused", (422,), lambda: call("POST", "/v1/dockets", b"{}", "x")),
            ("an entry is taken", (200, 201), lambda: call("POST", "/v1/dockets", body, entry.id)),
            ("other content under its key is refused", (409,), lambda: call("POST", "/v1/dockets", changed, entry.id)),
            ("a file with other content is refused", (422,), lambda: call("PUT", file, b"other", entry.files[0].id)),
            ("a file is taken", (200, 204), lambda: call("PUT", file, CONTENT, entry.files[0].id)),
            ("a file is taken again", (200, 204), lambda: call("PUT", file, CONTENT, entry.files[0].id)),
            ("a file of no entry is refused", (404,), lambda: call("PUT", f"/v1/dockets/{uuid.uuid4()}/files/1", CONTENT, "1")),
        )
        for promise, expected, act in promises:
            answer = act()
            if answer.status_code not in expected:
                yield f"{promise}: expected {' or '.join(map(str, expected))}, got {answer.status_code} {answer.text[:200]}"
        first, second = (call("POST", "/v1/dockets", body, entry.id) for _ in range(2))
        if first.status_code in (200, 201) and first.content != second.content:
            yield f"the same entry again has the same id: got {first.text[:100]}, then {second.text[:100]}"
