"""Faust's Kafka transport, with a fetch that does not wait 1.5 s.

Faust fixes `fetch_max_wait_ms` at 1500. Apache Kafka answers a waiting fetch as soon as there is something; Tansu only when about half of
the wait is over: a message then lies there for 0.4 s in the median and 0.75 s at worst (36 and 64 ms with 100).
"""

from typing import Any

from faust.transport.drivers import aiokafka as driver

FETCH_WAIT_MS = 50


class Thread(driver.AIOKafkaConsumerThread):
    """The thread that fetches."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 read when it starts
        return consumer


class Consumer(driver.Consumer):
    """The consumer of that thread."""

    def _new_consumer_thread(self) -> Thread:
        return Thread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """`app.transport` of a worker."""

    Consumer = Consumer
