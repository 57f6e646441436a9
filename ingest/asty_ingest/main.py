"""The process asty-ingest: reads its settings, wires the rooms, waits for a signal."""

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

from asty_contracts.topics import KAFKA_TOPICS
from asty_process.environment import SettingsError

from asty_ingest import metrics
from asty_ingest.bridge import Bridge
from asty_ingest.counters import Counters
from asty_ingest.kafka import Sender, TopicKeeper
from asty_ingest.mqtt import Session
from asty_ingest.settings import Settings, from_environment
from asty_ingest.window import Window

log = logging.getLogger("asty_ingest")

MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024
GRACE_S = 5.0
COLLECT_EVERY = 50_000
"""New objects between two looks for cycles: what waits for Kafka are many objects, and none is in one."""
SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main() -> int:
    """Run until SIGTERM or SIGINT. Exit code 0 after an orderly stop, 2 for wrong settings, 1 when something unforeseen broke."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")
    try:
        settings = from_environment()
    except SettingsError as error:
        log.error("event=wrong_settings do=%r", str(error))  # noqa: TRY400
        return 2
    return Process(settings).run()


class Process:
    """The wired process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counters = Counters()
        self._sender = Sender(settings.kafka_bootstrap)
        self._keeper = TopicKeeper(settings.kafka_bootstrap, settings.kafka_replication, KAFKA_TOPICS, self._counters)
        window = Window(settings.max_in_flight, MAX_IN_FLIGHT_BYTES)
        self._bridge = Bridge(settings.org, settings.shard, window, self._sender.send, self._counters)
        self._session = Session(settings, self._bridge.opened, self._bridge.received)
        self._stop = threading.Event()
        self._drained = threading.Event()
        self._broke = False

    def run(self) -> int:
        """Start the threads, wait for a signal, stop in order: take no more, deliver, acknowledge, disconnect."""
        gc.freeze()
        gc.set_threshold(COLLECT_EVERY)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # of all threads: the main one takes them with sigwait
        threading.excepthook = self._thread_broke
        if not self._serve_metrics():
            return 2
        self._thread("kafka-topics", self._keeper.run, self._stop)
        self._thread("kafka-deliveries", self._sender.run, self._drained)
        self._thread("groups", self._bridge.run, self._drained)
        self._thread("mqtt-session", self._session.run, self._stop)
        signal.sigwait(SIGNALS)
        self._stop.set()
        left = self._bridge.close(GRACE_S)
        self._session.close()
        self._drained.set()
        log.info("event=stopped left_to_the_broker=%d", left)
        return 1 if self._broke else 0

    def _serve_metrics(self) -> bool:
        if (port := self._settings.metrics_port) is None:
            return True
        try:
            metrics.serve(port, self._counters, self._gauges)
        except OSError as error:
            log.error("event=wrong_settings do=%r", f"ASTY_INGEST_METRICS_PORT={port}: {error}")  # noqa: TRY400
            return False
        return True

    def _gauges(self) -> dict[str, int]:
        count, size = self._bridge.in_flight
        return {
            "in_flight": count,
            "in_flight_bytes": size,
            "mqtt_connected": int(self._session.connected),
            "kafka_reachable": int(self._keeper.reachable),
        }

    def _thread(self, name: str, work: Callable[[threading.Event], None], until: threading.Event) -> None:
        threading.Thread(target=work, args=(until,), name=name, daemon=True).start()

    def _thread_broke(self, broken: threading.ExceptHookArgs) -> None:
        """A thread that dies takes the process with it, so that its supervisor starts a whole one; nothing unacknowledged is lost."""
        log.critical("event=thread_died", exc_info=broken.exc_value)
        self._broke = True
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
