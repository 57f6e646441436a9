"""MQTT to PostgreSQL, acknowledged after the commit: `main.py PORT DSN`. Any error ends it, to be started again."""

import json
import queue
import sys
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

FIELDS = ("lat", "lon", "v", "course", "sats")
COPY = "COPY peer.position (t, edge, ep, s, tq, lat, lon, v, course, sats) FROM STDIN"
MOST, WAIT_S = 2000, 0.2

Row = tuple[Any, ...]


def rows(message: MQTTMessage) -> list[Row]:
    pack, edge = json.loads(message.payload), message.topic.split("/")[3]
    return [
        (datetime.fromtimestamp(it["t"] / 1000, UTC), edge, pack["ep"], it["s"], it["tq"], *map(it["d"].get, FIELDS)) for it in pack["recs"]
    ]


def gather(waiting: "queue.Queue[MQTTMessage]") -> list[MQTTMessage]:
    messages = [waiting.get()]
    end = time.monotonic() + WAIT_S
    while len(messages) < MOST and (left := end - time.monotonic()) > 0:
        try:
            messages.append(waiting.get(timeout=left))
        except queue.Empty:
            break
    return messages


def subscribe(client: Client, *_: object) -> None:
    client.subscribe("asty/1/+/+/up/rec", qos=1)


def main(port: int, dsn: str) -> None:
    waiting: queue.Queue[MQTTMessage] = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, client_id="peer", clean_session=False, manual_ack=True)
    client.on_connect = subscribe
    client.on_message = lambda _client, _data, message: waiting.put(message)
    with psycopg.connect(dsn) as connection:
        client.connect("127.0.0.1", port)
        client.loop_start()
        while True:
            messages = gather(waiting)
            with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                for message in messages:
                    for row in rows(message):
                        copy.write_row(row)
            connection.commit()
            for message in messages:
                client.ack(message.mid, message.qos)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
