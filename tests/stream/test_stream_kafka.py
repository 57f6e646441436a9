"""What the worker asks of Kafka, asked of a real one."""

from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from asty_contracts.topics import BACKLOG, KAFKA_TOPICS, TELEMETRY, URGENT
from asty_stream import transport
from asty_stream.kafka import ensure_topics, progress
from faust.transport.drivers import aiokafka as driver


async def test_missing_topics_are_made_with_the_partitions_of_the_contract_and_only_once(tansu: Any) -> None:
    await ensure_topics(tansu.bootstrap, 1)
    assert await ensure_topics(tansu.bootstrap, 1) == []
    consumer = AIOKafkaConsumer(bootstrap_servers=tansu.bootstrap, group_id=None)
    await consumer.start()
    await consumer.topics()
    counts = {topic.name: len(consumer.partitions_for_topic(topic.name) or ()) for topic in KAFKA_TOPICS}
    await consumer.stop()
    assert counts == {topic.name: topic.partitions for topic in KAFKA_TOPICS}


async def test_progress_counts_what_a_group_has_not_committed(tansu: Any) -> None:
    await ensure_topics(tansu.bootstrap, 1)
    group = f"group-{uuid4().hex[:8]}"
    groups = {group: (TELEMETRY, BACKLOG), f"{group}-urgent": (URGENT,)}
    before = await progress(tansu.bootstrap, groups)
    producer = AIOKafkaProducer(bootstrap_servers=tansu.bootstrap)
    await producer.start()
    sent = [await producer.send_and_wait(TELEMETRY.name, b"x", partition=2) for _ in range(3)]
    await producer.send_and_wait(URGENT.name, b"x")
    await producer.stop()
    waiting = await progress(tansu.bootstrap, groups)
    assert waiting.waiting == before.waiting + 4
    assert waiting.committed == before.committed
    consumer = AIOKafkaConsumer(bootstrap_servers=tansu.bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    place = TopicPartition(TELEMETRY.name, 2)
    consumer.assign([place])
    await consumer.commit({place: sent[1].offset + 1})
    await consumer.stop()
    moved = await progress(tansu.bootstrap, groups)
    assert moved.committed[TELEMETRY.name, 2] == sent[1].offset + 1
    assert moved.waiting == waiting.waiting - (sent[1].offset + 1 - before.committed[TELEMETRY.name, 2])


async def test_the_worker_asks_kafka_with_a_short_wait_and_not_with_the_one_and_a_half_seconds_that_faust_fixes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1", fetch_max_wait_ms=1500)
    assert plain._fetch_max_wait_ms == 1500, "the name under which it is read at the start"
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_create_worker_consumer", lambda _self, _transport: plain)
    monkeypatch.setattr(transport.Thread, "__init__", lambda _self, *_args, **_more: None)
    consumer = object.__new__(transport.Transport.Consumer)
    consumer.loop = consumer.beacon = None
    assert consumer._new_consumer_thread()._create_worker_consumer(None)._fetch_max_wait_ms <= 100
    await plain.stop()
