"""A broker's bad memory: captures packs as they pass and publishes them again, in random order, some of them twice."""

import threading
from random import Random
from typing import Any
from uuid import uuid4

from asty_contracts.topics import Up, all_up
from paho.mqtt.client import Client, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

KEPT = 3000
AT_ONCE = 400


class Replayer:
    """Listens at the broker itself, not through the edges' network."""

    def __init__(self, port: int, protocol: str, random: Random) -> None:
        self._random = random
        self._v5 = protocol == "5"
        self._lock = threading.Lock()
        self._kept: list[tuple[str, bytes, str | None]] = []
        self._seen = 0
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"replay-{uuid4().hex[:8]}", protocol=MQTTv5 if self._v5 else MQTTv311)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._keep
        self._client.reconnect_delay_set(1, 2)
        self._client.connect_async("127.0.0.1", port)

    def start(self) -> None:
        """Connect, and again whenever the broker is gone."""
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def replay(self) -> int:
        """Publish up to 400 captured packs again, shuffled, a tenth of them twice; returns how many messages that made."""
        with self._lock:
            some = self._random.sample(self._kept, min(AT_ONCE, len(self._kept)))
        some += self._random.sample(some, len(some) // 10)
        self._random.shuffle(some)
        for topic, payload, content_type in some:
            self._client.publish(topic, payload, qos=1, properties=self._properties(content_type))
        return len(some)

    def _properties(self, content_type: str | None) -> Properties | None:
        if not self._v5 or content_type is None:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = content_type
        return properties

    def _subscribe(self, client: Client, *_: Any) -> None:
        client.subscribe(all_up(Up.RECORDS), qos=0)

    def _keep(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        """Keep a fair sample of all that passed (reservoir sampling, Vitter 1985, algorithm R)."""
        content_type = getattr(message.properties, "ContentType", None) if message.properties else None
        pack = (message.topic, bytes(message.payload), content_type)
        with self._lock:
            self._seen += 1
            if len(self._kept) < KEPT:
                self._kept.append(pack)
            elif (place := self._random.randrange(self._seen)) < KEPT:
                self._kept[place] = pack
