"""What was not taken, kept with the reason. The same refusal again only counts."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from asty_stream.incoming import at

MAX_PAYLOAD = 4096


class Refusal(NamedTuple):
    """`source` ingest or stream; `payload` as sent, of which at most 4096 bytes are kept; `size` its true size; `rx` UTC ms."""

    source: str
    edge: str | None
    topic: str | None
    reason: str
    detail: str
    payload: bytes
    size: int
    rx: int

    @property
    def digest(self) -> bytes:
        parts = (self.source, self.edge or "", self.topic or "", self.reason)
        return hashlib.sha256("\x1f".join(parts).encode(errors="replace") + b"\x1f" + self.payload[:MAX_PAYLOAD]).digest()


async def keep_refusals(connection: AsyncConnection[Any], refusals: Sequence[Refusal]) -> None:
    """Keep refusals; one that is known already is counted once more."""
    rows: dict[bytes, tuple[Any, ...]] = {}
    for it in refusals:
        texts = [None if text is None else text.replace("\0", "�") for text in (it.source, it.edge, it.topic, it.reason, it.detail)]
        times = rows[it.digest][9] + 1 if it.digest in rows else 1
        rows[it.digest] = (it.digest, *texts, it.size, it.payload[:MAX_PAYLOAD], at(it.rx), times)
    ordered = [rows[digest] for digest in sorted(rows)]
    await connection.execute(
        """
        INSERT INTO telemetry.refused AS r (digest, source, edge, topic, reason, detail, size, payload, first_rx, times, last_rx)
        SELECT n.*, n.rx FROM unnest(
            %s::bytea[],
            %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bytea[], %s::timestamptz[], %s::bigint[]
        ) AS n (digest, source, edge, topic, reason, detail, size, payload, rx, times)
        ON CONFLICT (digest) DO UPDATE SET times = r.times + excluded.times, last_rx = greatest(r.last_rx, excluded.last_rx)
        """,
        [list(column) for column in zip(*ordered, strict=True)],
    )
