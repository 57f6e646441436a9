"""MQTT to PostgreSQL in thirty lines: `main.py PORT DSN`."""

import asyncio
import json
import sys
from datetime import UTC, datetime

import aiomqtt
import psycopg

FIELDS = ("lat", "lon", "v", "course", "sats")
INSERT = """
INSERT INTO peer.position (t, edge, ep, s, tq, lat, lon, v, course, sats) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


async def main(port: int, dsn: str) -> None:
    async with (
        await psycopg.AsyncConnection.connect(dsn) as connection,
        aiomqtt.Client("127.0.0.1", port, identifier="peer", clean_session=False) as client,
    ):
        await client.subscribe("asty/1/+/+/up/rec", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            pack, edge = json.loads(message.payload), message.topic.value.split("/")[3]
            rows = [
                (datetime.fromtimestamp(it["t"] / 1000, UTC), edge, pack["ep"], it["s"], it["tq"], *map(it["d"].get, FIELDS))
                for it in pack["recs"]
            ]
            async with connection.cursor() as cursor:
                await cursor.executemany(INSERT, rows)
            await connection.commit()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
