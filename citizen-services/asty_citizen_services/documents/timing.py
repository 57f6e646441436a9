"""How long composing and signing a document takes on this machine, with a demo key; nothing is kept."""

import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from asty_citizen_services.documents.compose import Letterhead, compose, new_code
from asty_citizen_services.documents.demo_ca import DemoAuthority
from asty_citizen_services.documents.places import FIELD, seal
from asty_citizen_services.documents.signing import Mark, from_pkcs12_data

PASSPHRASE = "timing"  # noqa: S105  the key lives as long as the measurement
FACTS: dict[str, Any] = {
    "docket": {"number": "1/2026"}, "applicant": "ΔΟΚΙΜΑΣΤΙΚΗ ΜΑΡΙΑ", "address": "Ερμού 12, 38221 Βόλος", "record": {"number": "17"},
    "answers": {"fathername": "ΓΕΩΡΓΙΟΣ", "afm": "000000013", "since": "2011-03-05"}, "test_data": True,
}  # fmt: skip
TEMPLATES = Path(__file__).parents[1] / "procedures/folders/vevaiosi-monimis-katoikias/documents"


def measure(runs: int, zone: ZoneInfo, address: str) -> dict[str, float]:
    """Compose and sign a page so many times; the first, which loads fonts, apart. Returns seconds: first, median and worst of the rest."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        authority = DemoAuthority(Path(folder) / "ca", production=False)
        authority.prepare(now)
        key = from_pkcs12_data(authority.issue("Μέτρηση", "Μέτρηση", PASSPHRASE, now), PASSPHRASE)
        head = Letterhead("Δήμος", "Τμήμα", address)
        took = []
        for _ in range(runs + 1):
            began = time.monotonic()
            pdf = compose(TEMPLATES, "document", FACTS, head, code := new_code(), now, zone, signers=1)
            mark = Mark("Μέτρηση", "Μέτρηση", "", seal("Μέτρηση", "Μέτρηση", now, zone, code))
            asyncio.run(key.sign(pdf, mark, FIELD.format(n=1)))
            took.append(time.monotonic() - began)
    rest = sorted(took[1:])
    return {"first_s": round(took[0], 3), "median_s": round(rest[len(rest) // 2], 3), "worst_s": round(rest[-1], 3)}


def report(runs: int, zone: ZoneInfo, address: str) -> None:
    """Do `documents time`."""
    sys.stdout.write(json.dumps(measure(runs, zone, address)) + "\n")
