"""Kafka's topics and how far they are read."""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError
from asty_contracts.topics import KAFKA_TOPICS, KafkaTopic

log = logging.getLogger(__name__)


class Progress(NamedTuple):
    """What waits: messages up to the end of the topics, and up to where the group has committed, each by partition."""

    committed: dict[tuple[str, int], int]
    waiting: int


async def ensure_topics(bootstrap: str, replication: int) -> list[str]:
    """Create the topics that are missing, with the partition counts of the contract. Returns their names. Raises KafkaError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await admin.start()
        missing = {topic.name: topic for topic in KAFKA_TOPICS if topic.name not in set(await admin.list_topics())}
        for topic in missing.values():
            try:
                response = await admin.create_topics([NewTopic(topic.name, topic.partitions, replication)])
            except TopicAlreadyExistsError:
                continue
            refused = [f"{name}: {words}" for name, code, *words in response.topic_errors if code not in (0, TopicAlreadyExistsError.errno)]
            if refused:
                raise KafkaError(f"topics could not be created: {', '.join(refused)}")
    finally:
        await admin.close()
    return sorted(missing)


async def progress(bootstrap: str, groups: Mapping[str, Iterable[KafkaTopic]]) -> Progress:
    """Ask how far each group has committed of its topics and how much waits after that. Raises KafkaError, OSError."""
    looks = [await _progress(bootstrap, group, topics) for group, topics in groups.items()]
    return Progress({place: offset for look in looks for place, offset in look.committed.items()}, sum(look.waiting for look in looks))


async def _progress(bootstrap: str, group: str, topics: Iterable[KafkaTopic]) -> Progress:
    partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, request_timeout_ms=10_000)
    committed: dict[tuple[str, int], int] = {}
    waiting = 0
    try:
        await consumer.start()
        consumer.assign(partitions)  # assigned by hand, it never joins the group
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        for partition in partitions:
            known = await consumer.committed(partition)
            # a broker that forgot everything begins again below what the group once committed
            place = known if known is not None and begins[partition] <= known <= ends[partition] else begins[partition]
            committed[partition.topic, partition.partition] = place
            waiting += ends[partition] - place
    finally:
        await consumer.stop()
    return Progress(committed, waiting)
