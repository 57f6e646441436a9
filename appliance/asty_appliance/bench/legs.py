"""The way of an alarm from its reading to an officer's page, leg by leg: whose time it is. Pure."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from asty_appliance.bench.latency import Latencies, Summary

LEGS = {
    "read to sent": "the load generator",
    "sent to received": "MQTT broker, ingest",
    "received to stored": "Kafka, stream, PostgreSQL",
    "stored to event": "cloud-api",
    "event to page": "cloud-api, the page's own pace",
}
"""Each leg, and whose it is."""


class Way(NamedTuple):
    """When (UTC ms) an alarm was read, handed to the edge's MQTT client, received by ingest, stored, told to a page, and stood on it.

    None: it was not seen there.
    """

    read: int
    sent: int | None
    received: int | None
    stored: int | None
    heard: int | None
    shown: int | None


def legs(ways: Iterable[Way]) -> dict[str, Summary]:
    """Return how long each leg took, in ms. A leg whose begin or end was not seen is not counted."""
    latencies = {name: Latencies() for name in LEGS}
    for way in ways:
        for name, (begin, end) in zip(LEGS, pairwise(way), strict=True):
            if begin is not None and end is not None:
                latencies[name].add(end - begin)
    return {name: latency.summary() for name, latency in latencies.items()}
