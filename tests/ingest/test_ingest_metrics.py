"""What an operator sees of asty-ingest."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from asty_ingest import metrics
from asty_ingest.counters import HELP, Counters

GAUGES = {"in_flight": 2, "in_flight_bytes": 300, "mqtt_connected": 1, "kafka_reachable": 1}


@pytest.fixture
def counters() -> Counters:
    made = Counters()
    made.add("received", n=3)
    made.add("refused", "malformed")
    made.add("delivered", "telemetry.v1", 2)
    return made


@pytest.fixture
def address(counters: Counters) -> Iterator[str]:
    server = metrics.serve(0, counters, lambda: GAUGES)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_prometheus_reads_every_number(address: str) -> None:
    status, text = get(address + "/metrics")
    assert status == 200
    lines = text.splitlines()
    assert "asty_ingest_received_total 3" in lines
    assert 'asty_ingest_refused_total{reason="malformed"} 1' in lines
    assert 'asty_ingest_delivered_total{topic="telemetry.v1"} 2' in lines
    assert "asty_ingest_delivery_failures_total 0" in lines
    assert "asty_ingest_in_flight 2" in lines
    assert all(f"# TYPE asty_ingest_{name}_total counter" in lines for name in HELP)


def test_health_says_what_was_done(address: str) -> None:
    status, text = get(address + "/health")
    body = json.loads(text)
    assert (status, body["status"], body["received"], body["refused"], body["in_flight"]) == (200, "ok", 3, {"malformed": 1}, 2)
    assert get(address + "/elsewhere")[0] == 404


@pytest.mark.parametrize("away", ["mqtt_connected", "kafka_reachable"])
def test_health_is_503_while_a_server_is_away(counters: Counters, away: str) -> None:
    status, body = metrics.health(counters, GAUGES | {away: 0})
    assert (status, body["status"]) == (503, "waiting")
