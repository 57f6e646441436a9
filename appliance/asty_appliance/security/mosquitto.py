"""mosquitto's configuration and its access list, as text. Pure: the same for the appliance and for a deployment past one machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from asty_contracts import CONTRACT_VERSION
from asty_contracts.ids import is_name
from asty_contracts.topics import ROOT

_ALWAYS = """\
persistence true
persistence_location {data}/
autosave_interval 30
max_queued_messages 0
max_inflight_messages 0
max_packet_size 300000
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
"""

# An edge's client id becomes its name, so that no edge can end another's session or take it over.
_TLS = """\
listener {port}{bind}
tls_version tlsv1.2
cafile {certificates}/ca.pem
certfile {certificates}/broker.pem
keyfile {certificates}/broker.key
crlfile {certificates}/crl.pem
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {acl}
pid_file {pid}
"""

_PLAIN = """\
listener {port} 127.0.0.1
allow_anonymous true
"""


class PlainTextError(Exception):
    """A listener without TLS was asked for in production: nothing was written."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A listener for programs of this machine only, which lets everybody in."""

    port: int


@dataclass(frozen=True, slots=True)
class Tls:
    """The listener of edges, ingest and stream. `certificates` holds ca.pem, broker.pem, broker.key and crl.pem; no `bind`: everywhere."""

    port: int
    certificates: PurePath
    acl: PurePath
    pid: PurePath
    bind: str = ""


def configuration(listener: Plain | Tls, data: PurePath, *, production: bool) -> str:
    """Return mosquitto.conf. Raises PlainTextError."""
    if isinstance(listener, Plain):
        if production:
            raise PlainTextError(
                "ASTY_PRODUCTION=1 allows no MQTT without TLS: anybody on the way could read and write every edge's records"
            )
        head = _PLAIN.format(port=listener.port)
    else:
        bind = f" {listener.bind}" if listener.bind else ""
        head = _TLS.format(port=listener.port, bind=bind, certificates=listener.certificates, acl=listener.acl, pid=listener.pid)
    return head + _ALWAYS.format(data=data)


def instances(service: str, count: int) -> tuple[str, ...]:
    """Name the broker's users of a service: itself when there is one, `-1`, `-2`, … when there are several."""
    return (service,) if count == 1 else tuple(f"{service}-{number}" for number in range(1, count + 1))


def access(org: str, ingest: Sequence[str] = ("asty-ingest",), stream: Sequence[str] = ("asty-stream",)) -> str:
    """Return the access list: %u is the common name of the client's certificate. What is not granted is denied. Raises ValueError."""
    if not is_name(org):
        raise ValueError(f"{org!r} can't name a town: expected 1 to 32 of a-z, 0-9 and inner hyphens")
    town = f"{ROOT}/{CONTRACT_VERSION}/{org}"
    lines = [f"pattern write {town}/%u/up/#", f"pattern read {town}/%u/dn/#"]
    for user in ingest:
        lines += ["", f"user {user}", f"topic read {town}/+/up/#", f"topic write {town}/+/dn/cmd"]
    for user in stream:
        lines += ["", f"user {user}", f"topic write {town}/+/dn/ack", f"topic write {town}/+/dn/cmd"]
    return "\n".join(lines) + "\n"
