"""The folder in which one town's appliance lives: data, logs, ports, secrets."""

import json
import random
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

_PREFERRED = {
    "postgres": 5433,
    "mqtt": 1883,
    "kafka": 9092,
    "valhalla": 8002,
    "cloud-api": 8400,
    "citizen-services": 8420,
    "taxisnet": 8421,
    "directory": 8422,
    "ingest-metrics": 8410,
}
_BELOW_EPHEMERAL = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Home:
    """Where things lie below one folder."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def procedures(self) -> Path:
        """The municipality's own procedures, beside ours."""
        return self.root / "procedures"

    def make(self) -> None:
        """Create the folders; only the owner may look into those with secrets."""
        for folder in (self.root, self.data, self.logs, self.run, self.procedures):
            folder.mkdir(parents=True, exist_ok=True)
        self.run.chmod(0o700)

    def secret(self, name: str) -> str:
        """Return the named secret, made once and kept."""
        path = self.run / f"{name}.secret"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()


def choose_ports(home: Home, *, preferred: bool = True) -> dict[str, int]:
    """Return a port for each server: the ones of the last start where they are still free, so that addresses stay the same."""
    path = home.run / "ports.json"
    known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    ports: dict[str, int] = {}
    for name, wish in _PREFERRED.items():
        candidates = [known[name]] if name in known else []
        candidates += [wish] if preferred else []
        ports[name] = next((port for port in candidates if _is_free(port) and port not in ports.values()), 0) or free_port(ports.values())
    path.write_text(json.dumps(ports, indent=2))
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(taken: Iterable[int] = ()) -> int:
    """Return a free port, below the ephemeral range: no client's connection takes it while its server is being restarted."""
    others = set(taken)
    return next(port for port in random.sample(_BELOW_EPHEMERAL, len(_BELOW_EPHEMERAL)) if port not in others and _is_free(port))
