"""Kafka: sends, reports what arrived, and keeps the topics in being."""

import logging
import threading
from collections.abc import Callable, Iterable

from asty_contracts.topics import KafkaTopic
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from asty_ingest.counters import Counters

log = logging.getLogger(__name__)

TOO_BIG = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_RECORD})
"""Kafka will never take such a message: sending it again does not help."""
LOOK_EVERY_S = 3.0

Done = Callable[[KafkaError | None], None]


class Sender:
    """A producer whose `done` callbacks run on the thread that is in `run`."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "asty-ingest",
                "acks": "all",
                "linger.ms": 1,  # a group has gathered while the one before it was under way
                "enable.idempotence": False,  # Tansu has none; the store tells a repeated pack by its sequences
                "message.timeout.ms": 0,  # Kafka may be away for as long as it likes: the broker keeps what is not acknowledged
                "allow.auto.create.topics": False,  # a broker would choose the partition count; TopicKeeper creates them
                "partitioner": "murmur2_random",  # as Kafka's own clients place keys
                "reconnect.backoff.max.ms": 2000,
                "topic.metadata.refresh.interval.ms": 30_000,
                "log_level": 3,
            },
            logger=log,
        )

    def send(self, topic: KafkaTopic, key: str, value: bytes, done: Done) -> None:
        """Queue a message; `done` is called once, with None when Kafka has it."""

        def delivered(error: KafkaError | None, _message: Message) -> None:
            done(error)

        try:
            self._producer.produce(topic.name, key=key.encode(), value=value, on_delivery=delivered)
        except KafkaException as error:
            done(error.args[0])
        except BufferError:
            done(KafkaError(KafkaError._QUEUE_FULL))  # noqa: SLF001

    def run(self, stop: threading.Event) -> None:
        """Call `done` of what was settled, until stopped."""
        while not stop.is_set():
            self._producer.poll(0.2)

    def flush(self, seconds: float) -> int:
        """Wait for what is queued; return how many messages are still not settled."""
        return int(self._producer.flush(seconds))


class TopicKeeper:
    """Creates the topics, at first and whenever the broker forgot them (Tansu keeps them in memory)."""

    def __init__(self, bootstrap: str, replication: int, topics: Iterable[KafkaTopic], counters: Counters) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 2000, "log_level": 0})
        self._replication = replication
        self._topics = {topic.name: topic for topic in topics}
        self._counters = counters
        self._odd: set[str] = set()  # topics that somebody else created otherwise, once complained of
        self.reachable = False

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._look()
            self._admin.poll(0)
            stop.wait(LOOK_EVERY_S if self.reachable else 0.5)

    def _look(self) -> None:
        try:
            there = self._admin.list_topics(timeout=5).topics
            missing = [topic for name, topic in self._topics.items() if name not in there or there[name].error]
            if missing:
                self._create(missing)
            self._compare({name: len(there[name].partitions) for name in self._topics if name in there and not there[name].error})
        except KafkaException as error:
            if self.reachable:
                log.warning("event=kafka_away error=%r kept=mqtt_session", error.args[0].str())
            self.reachable = False
        else:
            if not self.reachable:
                log.info("event=kafka_reached")
            self.reachable = True

    def _compare(self, partitions: dict[str, int]) -> None:
        for name, count in partitions.items():
            if count != self._topics[name].partitions and name not in self._odd:
                self._odd.add(name)
                log.error(
                    "event=wrong_partition_count topic=%s partitions=%d expected=%d kept=going_on",
                    name,
                    count,
                    self._topics[name].partitions,
                )

    def _create(self, missing: list[KafkaTopic]) -> None:
        new = [NewTopic(topic.name, topic.partitions, self._replication) for topic in missing]
        for name, future in self._admin.create_topics(new, operation_timeout=5, request_timeout=10).items():
            try:
                future.result(15)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
            else:
                self._counters.add("topics_created")
                log.info("event=topic_created topic=%s partitions=%d", name, self._topics[name].partitions)
