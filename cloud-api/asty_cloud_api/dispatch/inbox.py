"""plan-triggers.v1 of Kafka: taken in batches, counted as read only when the caller says that they are answered."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from asty_contracts.stream import PlanTrigger
from asty_contracts.topics import PLAN_TRIGGERS
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

log = logging.getLogger(__name__)
BATCH = 500
_decoder = msgspec.json.Decoder(PlanTrigger)


class KafkaAwayError(Exception):
    """Kafka does not answer; nothing was lost."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Triggers and where to read on from once they are answered; what was no trigger is passed over with a line in the log."""

    triggers: tuple[PlanTrigger, ...]
    offsets: tuple[Any, ...]


class Inbox:
    """One member of the planner's consumer group. Its methods block: call them in a thread."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._consumer: Consumer | None = None

    def take(self, seconds: float) -> Taken:
        """Wait so long for messages. Raises KafkaAwayError."""
        try:
            return self._taken(self._open().consume(BATCH, seconds))
        except KafkaException as error:
            self.close()
            raise KafkaAwayError(str(error)) from error

    def answered(self, taken: Taken) -> None:
        """Count these as read. Raises KafkaAwayError: then they come again, and their ids are known."""
        if not taken.offsets or self._consumer is None:
            return
        try:
            self._consumer.commit(offsets=list(taken.offsets), asynchronous=False)
        except KafkaException as error:
            self.close()
            raise KafkaAwayError(str(error)) from error

    def close(self) -> None:
        """Leave the group."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _open(self) -> Consumer:
        if self._consumer is None:
            ensure_topic(self._bootstrap)
            self._consumer = Consumer(
                {
                    "bootstrap.servers": self._bootstrap,
                    "group.id": self._group,
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "session.timeout.ms": 10_000,
                    "log_level": 0,
                }
            )
            self._consumer.subscribe([PLAN_TRIGGERS.name])
        return self._consumer

    def _taken(self, messages: Sequence[Any]) -> Taken:
        triggers: list[PlanTrigger] = []
        ends: dict[int, Any] = {}
        for message in messages:
            if (error := message.error()) is not None:
                raise KafkaException(error)
            ends[message.partition()] = message
            try:
                triggers.append(_decoder.decode(message.value() or b""))
            except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
                log.warning("event=no_trigger offset=%d why=%r do=%r", message.offset(), str(wrong), "it is passed over")
        return Taken(tuple(triggers), tuple(_after(message) for message in ends.values()))


class Outbox:
    """Publishes triggers; waits until Kafka has them."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "message.timeout.ms": 3000, "acks": "all", "log_level": 0})

    def publish(self, trigger: PlanTrigger) -> None:
        """Raises KafkaAwayError when Kafka did not take it within three seconds. Blocks: call it in a thread."""
        failed: list[Any] = []
        try:
            self._producer.produce(
                PLAN_TRIGGERS.name,
                msgspec.json.encode(trigger),
                trigger.subject.encode(),
                on_delivery=lambda error, _message: failed.append(error) if error is not None else None,
            )
            left = self._producer.flush(4)
        except (KafkaException, BufferError) as error:
            raise KafkaAwayError(str(error)) from error
        if failed or left:
            raise KafkaAwayError(str(failed[0]) if failed else "it did not answer in time")


def ensure_topic(bootstrap: str) -> None:
    """Create the topic where it is not there yet. Raises KafkaException."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 3000})
    if PLAN_TRIGGERS.name in admin.list_topics(timeout=3).topics:
        return
    for future in admin.create_topics([NewTopic(PLAN_TRIGGERS.name, PLAN_TRIGGERS.partitions, 1)]).values():
        try:
            future.result(5)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def _after(message: Any) -> Any:
    return TopicPartition(message.topic(), message.partition(), message.offset() + 1)
