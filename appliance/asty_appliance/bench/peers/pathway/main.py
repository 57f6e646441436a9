"""A Pathway pipeline from MQTT to PostgreSQL: `main.py PORT DSN [FOLDER]`; with a folder its progress is persisted there."""

import sys
from urllib.parse import urlsplit

import pathway as pw  # type: ignore[import-not-found]  # installed in the peer's own environment only


class Packed(pw.Schema):  # type: ignore[misc]
    """A pack as JSON."""

    ep: str
    recs: pw.Json


def main(port: int, dsn: str, folder: str | None) -> None:
    packs = pw.io.mqtt.read(
        f"mqtt://127.0.0.1:{port}/?client_id=peer", "asty/1/+/+/up/rec", qos=1, schema=Packed, format="json", autocommit_duration_ms=200
    )
    records = packs.flatten(packs.recs)
    d = records.recs["d"]
    rows = records.select(
        t=pw.unwrap(records.recs["t"].as_int()).dt.utc_from_timestamp(unit="ms"),
        ep=records.ep,
        s=pw.unwrap(records.recs["s"].as_int()),
        tq=records.recs["tq"].as_str(),
        lat=d["lat"].as_float(),
        lon=d["lon"].as_float(),
        v=d["v"].as_float(),
        course=d["course"].as_float(),
        sats=d["sats"].as_int(),
    )
    at = urlsplit(dsn)
    settings = {"host": at.hostname, "port": str(at.port), "user": at.username, "password": at.password, "dbname": at.path[1:]}
    pw.io.postgres.write(rows, settings, "position", schema_name="peer", max_batch_size=10_000)
    config = pw.persistence.Config(pw.persistence.Backend.filesystem(folder), snapshot_interval_ms=500) if folder else None
    pw.run(persistence_config=config, monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
