"""The broker's part in a revocation: it reads the new list, and the connection that the edge still has is ended.

A broker asks for a certificate only when a connection begins, so a list alone cuts nobody off. An edge's client id is its name
(`use_username_as_clientid`), and MQTT ends an older connection when the same client connects again: that is how it is ended, by
a certificate that lives for five minutes and whose key never leaves this process.
"""

import logging
import os
import signal
import ssl
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from paho.mqtt.client import Client, ConnectFlags, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from asty_cloud_api.enrolment import keys
from asty_cloud_api.enrolment.authority import CUTTING_LIFE, Authority

log = logging.getLogger(__name__)
TRIES, BETWEEN_S, PATIENCE_S = 20, 0.25, 5.0


class BrokerAwayError(Exception):
    """The broker could not be told, or did not take the list up: says what is done and what an operator does about the rest."""


@dataclass(frozen=True, slots=True)
class Key:
    """A certificate with its key, for this process only."""

    cert: x509.Certificate
    pem: bytes


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker listens, and the file with its process id, which a SIGHUP reaches; None where another program reloads it."""

    host: str
    port: int
    pid_file: Path | None

    def reload(self) -> None:
        """Let it read its revocation list and its own certificate again. Raises BrokerAwayError."""
        if self.pid_file is None:
            return
        try:
            os.kill(int(self.pid_file.read_text()), signal.SIGHUP)
        except (OSError, ValueError) as error:
            raise BrokerAwayError(f"the broker was not reloaded ({self.pid_file}: {error}); it reads its list when it starts") from error

    def cut_off(self, town: Authority, edge: str, witness: Key, now: datetime) -> None:
        """End the edge's connection. `witness` is in the new list: while the broker takes it, it has not read the list yet.

        Raises BrokerAwayError.
        """
        for _ in range(TRIES):
            if not self._takes(town, witness):
                break
            time.sleep(BETWEEN_S)
        else:
            raise BrokerAwayError(
                f"the broker at {self.host}:{self.port} still takes revoked certificates; the list is written: send the broker a SIGHUP"
                " (ASTY_BROKER_PID_FILE does it by itself), then revoke again"
            )
        if not self._takes(town, short_lived(town, edge, now)):
            raise BrokerAwayError(f"the broker at {self.host}:{self.port} refuses this town's certificates: check its cafile and its clock")
        log.info("event=edge_cut_off edge=%s", edge)

    def _takes(self, town: Authority, key: Key) -> bool:
        """Connect once, and tell whether the broker let it in. Raises BrokerAwayError when nobody answers."""
        answers: list[ReasonCode] = []

        def connected(_client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None) -> None:
            answers.append(reason)

        client = Client(CallbackAPIVersion.VERSION2, client_id="asty-enrolment", clean_session=True, protocol=MQTTv311)
        client.on_connect = connected
        client.tls_set_context(_context(town, key))
        try:
            client.connect(self.host, self.port, keepalive=10)
            end = time.monotonic() + PATIENCE_S
            while not answers and time.monotonic() < end and client.loop(0.1) == 0:
                pass
        except ssl.SSLError as error:
            if "ALERT" in str(error):
                return False
            raise BrokerAwayError(f"the broker at {self.host}:{self.port} can't be trusted: {error}") from error
        except OSError as error:
            raise BrokerAwayError(
                f"the broker at {self.host}:{self.port} does not answer: {error}; the list is written, it reads it when it starts"
            ) from error
        finally:
            client.disconnect()
        return bool(answers) and not answers[0].is_failure


def short_lived(town: Authority, edge: str, now: datetime) -> Key:
    """Make a certificate in an edge's name for a few minutes."""
    key = keys.new_key()
    cert = town.edge(edge, key.public_key(), now, CUTTING_LIFE)
    return Key(cert, keys.pem(cert) + keys.key_pem(key))


def _context(town: Authority, key: Key) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=keys.pem(town.cert).decode())
    with tempfile.NamedTemporaryFile() as file:  # ssl reads a key from a file only; this one is its owner's alone
        file.write(key.pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context
