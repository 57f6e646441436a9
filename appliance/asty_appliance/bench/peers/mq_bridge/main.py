"""An mq-bridge route from MQTT to PostgreSQL: `main.py PORT DSN`."""

import sys

from mq_bridge import Route, init_logging  # type: ignore[import-not-found]  # installed in the peer's own environment only

INSERT = """
WITH pack AS MATERIALIZED (SELECT convert_from($1, 'UTF8')::jsonb AS p)
INSERT INTO peer.position (t, ep, s, tq, lat, lon, v, course, sats)
SELECT to_timestamp(r.t / 1000.0), p->>'ep', r.s, r.tq, (r.d->>'lat')::float8, (r.d->>'lon')::float8, (r.d->>'v')::float8,
       (r.d->>'course')::float8, (r.d->>'sats')::bigint
FROM pack, jsonb_to_recordset(p->'recs') AS r (s bigint, t bigint, tq text, d jsonb)
"""


def main(port: int, dsn: str) -> None:
    mqtt = {"url": f"tcp://127.0.0.1:{port}", "topic": "asty/1/+/+/up/rec", "client_id": "peer", "qos": 1, "session_expiry_interval": 3600}
    table = {"url": dsn, "table": "peer.position", "insert_query": INSERT}
    route = {"input": {"mqtt": mqtt | {"max_inflight": 2000, "queue_capacity": 2000}}, "output": {"sqlx": table}, "batch_size": 512}
    init_logging()
    Route.from_config({"routes": {"packs": route}}, "packs").run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
