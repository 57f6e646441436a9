"""What asty-ingest has done so far, as numbers."""

import threading
from collections import Counter

HELP = {
    "received": "MQTT messages received",
    "delivered": "Messages that Kafka has, by topic",
    "records": "Records in delivered packs",
    "refused": "Messages refused, by reason",
    "delivery_failures": "Messages that Kafka did not take: the broker sends them again",
    "connects": "MQTT connections made",
    "topics_created": "Kafka topics created, at start or since Kafka forgot them",
}
LABEL = {"delivered": "topic", "refused": "reason"}


class Counters:
    """Totals by name and label; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, label: str = "", n: int = 1) -> None:
        with self._lock:
            self._totals[name, label] += n

    def total(self, name: str) -> int:
        with self._lock:
            return sum(n for (of, _), n in self._totals.items() if of == name)

    def by_label(self, name: str) -> dict[str, int]:
        with self._lock:
            return {label: n for (of, label), n in self._totals.items() if of == name}
