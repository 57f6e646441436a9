"""/metrics (Prometheus text) and /health (JSON) on 127.0.0.1."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from asty_ingest.counters import HELP, LABEL, Counters

Gauges = Callable[[], dict[str, int]]


def exposition(counters: Counters, gauges: dict[str, int]) -> str:
    """Write the numbers in Prometheus' text format 0.0.4."""
    lines = []
    for name, about in HELP.items():
        lines += [f"# HELP asty_ingest_{name}_total {about}", f"# TYPE asty_ingest_{name}_total counter"]
        totals = counters.by_label(name) or ({} if name in LABEL else {"": 0})
        for label, total in sorted(totals.items()):
            labels = f'{{{LABEL[name]}="{label}"}}' if name in LABEL else ""
            lines.append(f"asty_ingest_{name}_total{labels} {total}")
    for name, value in gauges.items():
        lines += [f"# TYPE asty_ingest_{name} gauge", f"asty_ingest_{name} {value}"]
    return "\n".join(lines) + "\n"


def health(counters: Counters, gauges: dict[str, int]) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status, 503 while MQTT or Kafka is away, and what is known."""
    well = bool(gauges["mqtt_connected"] and gauges["kafka_reachable"])
    return (200 if well else 503), {
        "status": "ok" if well else "waiting",
        "mqtt": bool(gauges["mqtt_connected"]),
        "kafka": bool(gauges["kafka_reachable"]),
        "in_flight": gauges["in_flight"],
        "received": counters.total("received"),
        "delivered": counters.by_label("delivered"),
        "refused": counters.by_label("refused"),
        "connects": counters.total("connects"),
        "delivery_failures": counters.total("delivery_failures"),
    }


def serve(port: int, counters: Counters, gauges: Gauges) -> ThreadingHTTPServer:
    """Serve in a thread. Raises OSError when the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4; charset=utf-8", exposition(counters, gauges()).encode())
            elif self.path == "/health":
                status, body = health(counters, gauges())
                self._answer(status, "application/json", msgspec.json.encode(body))
            else:
                self._answer(404, "text/plain; charset=utf-8", b"/metrics or /health\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a scrape each few seconds is no event."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
