"""Short messages by SMPP 3.4: each message over a bind of its own, receipts fetched where the centre keeps them until we bind."""

import re
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from smpplib import consts, exceptions
from smpplib.client import Client

from asty_citizen_services.identity.notifier import NotSentError
from asty_citizen_services.notices import gsm7
from asty_citizen_services.notices.carrier import Parcel, Receipt, RefusedByCarrierError, UnclearError
from asty_citizen_services.settings import SmppSettings

UDH = b"\x05\x00\x03"
"""A header that says: part n of m of message k (3GPP TS 23.040, 9.2.3.24.1)."""
TRY_LATER = frozenset({consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL, consts.SMPP_ESME_RSYSERR})
_FIELD = re.compile(r"(id|stat|err):(\S+)")
_SETTLED = {"DELIVRD": "delivered", "EXPIRED": "failed", "DELETED": "failed", "UNDELIV": "failed", "REJECTD": "failed"}


class _Line(Client):  # type: ignore[misc]
    """smpplib's client with the few steps that its own loops keep to themselves."""

    _socket: Any

    def wait_for(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def say_alive(self, pdu: Any) -> None:
        self._enquire_link_received(pdu)

    def message_received_handler(self, pdu: Any, **_more: Any) -> None:
        """Take every message: what it says was read before."""

    def acknowledge(self, pdu: Any) -> None:
        self._message_received(pdu)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Smpp:
    """The carrier of short messages over SMPP."""

    repeatable = False

    def __init__(self, account: SmppSettings, *, timeout: float = 10, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._account, self._timeout, self._clock = account, timeout, clock

    def send(self, parcel: Parcel) -> tuple[str, ...]:
        """Submit a message, part by part, and wait until the centre has each. Raises as `Carrier.send` says."""
        planned = gsm7.plan(parcel.text)
        header = UDH + secrets.token_bytes(1) + bytes((planned.segments,))
        ids: list[str] = []
        with self._bound("bind_transmitter") as client:
            for number, part in enumerate(planned.parts, 1):
                octets = gsm7.encode(part, planned.coding)
                said = octets if planned.segments == 1 else header + bytes((number,)) + octets
                try:
                    ids.append(self._submit(client, parcel.address, said, planned))
                except (NotSentError, RefusedByCarrierError) as error:
                    if ids:
                        raise UnclearError(f"{len(ids)} of {planned.segments} parts went out, then: {error}") from error
                    raise
        return tuple(ids)

    def receipts(self, *, seconds: float = 2) -> Iterator[Receipt]:
        """Yield the receipts that the centre has kept, until it is silent for so long. Each is acknowledged once the next is asked for.

        Raises NotSentError when the centre does not answer.
        """
        with self._bound("bind_receiver") as client:
            client.wait_for(seconds)
            while True:
                try:
                    pdu = client.read_pdu()
                except (TimeoutError, exceptions.ConnectionError):
                    return
                if pdu.command == "enquire_link":
                    client.say_alive(pdu)
                elif pdu.command == "deliver_sm":
                    if (receipt := self._read(pdu)) is not None:
                        yield receipt
                    client.acknowledge(pdu)

    def _submit(self, client: Any, number: str, octets: bytes, planned: gsm7.Plan) -> str:
        try:
            sent = client.send_message(
                source_addr_ton=consts.SMPP_TON_ALNUM, source_addr_npi=consts.SMPP_NPI_UNK, source_addr=self._account.sender,
                dest_addr_ton=consts.SMPP_TON_INTL, dest_addr_npi=consts.SMPP_NPI_ISDN, destination_addr=number.lstrip("+"),
                esm_class=consts.SMPP_GSMFEAT_UDHI if planned.segments > 1 else consts.SMPP_MSGMODE_DEFAULT,
                data_coding=consts.SMPP_ENCODING_DEFAULT if planned.coding == "gsm7" else consts.SMPP_ENCODING_ISO10646,
                short_message=octets, registered_delivery=1,
            )  # fmt: skip
            until = time.monotonic() + self._timeout
            while time.monotonic() < until:
                pdu = client.read_pdu()
                if pdu.command == "enquire_link":
                    client.say_alive(pdu)
                elif pdu.command == "submit_sm_resp" and pdu.sequence == sent.sequence:
                    return _message_id(pdu)
        except (TimeoutError, exceptions.ConnectionError) as error:
            raise UnclearError("the centre did not say whether it took the message") from error
        raise UnclearError("the centre did not say in time whether it took the message")

    @contextmanager
    def _bound(self, how: str) -> Iterator[Any]:
        account = self._account
        context = _tls(account.host) if account.tls else None
        client = _Line(account.host, account.port, timeout=self._timeout, allow_unknown_opt_params=True, ssl_context=context)
        try:
            try:
                client.connect()
                getattr(client, how)(system_id=account.system_id, password=account.password)
            except (exceptions.ConnectionError, exceptions.PDUError, TimeoutError, OSError) as error:
                raise NotSentError(f"the message centre at {account.host}:{account.port} refused to bind: {error}") from error
            yield client
            _unbind(client)
        finally:
            client.close()

    def _read(self, pdu: Any) -> Receipt | None:
        """Return a delivery receipt (SMPP 3.4, appendix B); None for anything else, such as a citizen's reply."""
        said = dict(_FIELD.findall(pdu.short_message.decode("ascii", "replace")))
        state = _SETTLED.get(said.get("stat", ""))
        known = pdu.receipted_message_id.decode() if getattr(pdu, "receipted_message_id", None) else said.get("id")
        if state is None or not known:
            return None
        why = "" if state == "delivered" else f"{said['stat']}, error {said.get('err', '')}"
        return Receipt(known, "delivered" if state == "delivered" else "failed", self._clock(), why)


def _message_id(pdu: Any) -> str:
    if pdu.status in TRY_LATER:
        raise NotSentError(consts.DESCRIPTIONS.get(pdu.status, f"status {pdu.status}"))
    if pdu.is_error():
        raise RefusedByCarrierError(consts.DESCRIPTIONS.get(pdu.status, f"status {pdu.status}"))
    given = pdu.message_id
    return given.decode() if isinstance(given, bytes) else str(given)


def _unbind(client: Any) -> None:
    try:
        client.unbind()
    except (exceptions.PDUError, exceptions.ConnectionError, TimeoutError, OSError):
        return  # what was handed over stands either way


def _tls(host: str) -> Any:
    context = ssl.create_default_context()

    class _Named:
        """smpplib wraps its socket without naming the host, which would leave the certificate unchecked."""

        def wrap_socket(self, raw: socket.socket) -> ssl.SSLSocket:
            return context.wrap_socket(raw, server_hostname=host)

    return _Named()
