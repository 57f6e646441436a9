"""A small message centre that speaks SMPP 3.4 and refuses what an operator's would: for a laptop and for contract tests."""

import asyncio
import contextlib
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from asty_citizen_services.notices import gsm7

BIND_RECEIVER, BIND_TRANSMITTER, SUBMIT, DELIVER, UNBIND, BIND_TRANSCEIVER, ENQUIRE = 1, 2, 4, 5, 6, 9, 0x15
RESPONSE = 0x80000000
OK, BAD_LENGTH, UNKNOWN_COMMAND, NOT_BOUND, BAD_TARGET, BIND_FAILED, BAD_CLASS, BAD_SOURCE = 0, 2, 3, 4, 0x0B, 0x0D, 0x43, 0x0A
BINDS = (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER)


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(hex(status))
        self.status = status


@dataclass(frozen=True, slots=True)
class Submitted:
    """One part as it came: `reference`, `total`, `number` of its header, 0 1 1 without one."""

    id: str
    to: str
    sender: str
    text: str
    coding: Literal["gsm7", "ucs2"]
    reference: int = 0
    total: int = 1
    number: int = 1


@dataclass
class Centre:
    """`submitted` is what came; `phones` of `unreachable` get a receipt of failure; `status` non-zero refuses the next submissions."""

    system_id: str
    password: str
    submitted: list[Submitted] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)
    statuses: deque[int] = field(default_factory=deque)
    receipts: deque[bytes] = field(default_factory=deque)
    mute: bool = False
    """Takes the next message and hangs up instead of saying so."""

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Listen until the server that is returned is closed."""
        return await asyncio.start_server(self._talk, host, port)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bound: int | None = None
        sequence = 0
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length, command, status, number = struct.unpack(">IIII", await reader.readexactly(16))
                body = await reader.readexactly(length - 16) if 16 <= length <= 2048 else b""
                if command & RESPONSE:
                    if command == DELIVER | RESPONSE and status == OK:
                        self.receipts.popleft()
                        sequence = self._deliver(writer, sequence)
                    continue
                answer, said = OK, b""
                try:
                    bound, said = self._do(command, body, bound)
                except _RefusedError as error:
                    answer = error.status
                if self.mute and command == SUBMIT:
                    break
                writer.write(struct.pack(">IIII", 16 + len(said), command | RESPONSE, answer, number) + said)
                if command in (BIND_RECEIVER, BIND_TRANSCEIVER) and answer == OK:
                    sequence = self._deliver(writer, sequence)
                await writer.drain()
                if command == UNBIND:
                    break

    def _do(self, command: int, body: bytes, bound: int | None) -> tuple[int | None, bytes]:
        """Do what is asked; return how the line is bound now, and the answer's body."""
        if command in BINDS:
            return self._bind(command, body, bound), b"asty-double\0"
        if command == SUBMIT:
            if bound not in (BIND_TRANSMITTER, BIND_TRANSCEIVER):
                raise _RefusedError(NOT_BOUND)
            return bound, self._submit(body).encode() + b"\0"
        if command not in (UNBIND, ENQUIRE):
            raise _RefusedError(UNKNOWN_COMMAND)
        return bound, b""

    def _bind(self, command: int, body: bytes, bound: int | None) -> int:
        system_id, rest = _text(body, 16)
        password, rest = _text(rest, 9)
        _kind, rest = _text(rest, 13)
        if len(rest) < 4 or rest[0] != 0x34 or bound is not None:
            raise _RefusedError(BIND_FAILED)
        if (system_id, password) != (self.system_id, self.password):
            raise _RefusedError(BIND_FAILED)
        return command

    def _submit(self, body: bytes) -> str:
        _service, rest = _text(body, 6)
        sender, rest = _text(rest[2:], 21)
        if not 1 <= len(sender) <= 11:
            raise _RefusedError(BAD_SOURCE)
        ton, npi = rest[0], rest[1]
        to, rest = _text(rest[2:], 21)
        if (ton, npi) != (1, 1) or not to.isdigit() or len(to) < 10:
            raise _RefusedError(BAD_TARGET)
        esm_class, rest = rest[0], rest[3:]
        _schedule, rest = _text(rest, 17)
        _validity, rest = _text(rest, 17)
        registered, _replace, coding, _default, length = rest[:5]
        message = rest[5 : 5 + length]
        if len(message) != length or coding not in (0, 8):
            raise _RefusedError(BAD_LENGTH)
        if self.statuses:
            raise _RefusedError(self.statuses.popleft())
        known: Literal["gsm7", "ucs2"] = "gsm7" if coding == 0 else "ucs2"
        reference, total, number = 0, 1, 1
        if esm_class & 0x40:
            if message[:3] != b"\x05\x00\x03" or not 1 <= message[5] <= message[4]:
                raise _RefusedError(BAD_CLASS)
            reference, total, number = message[3], message[4], message[5]
            message = message[6:]
        most = (153 if total > 1 else 160) if known == "gsm7" else (134 if total > 1 else 140)
        if len(message) > most:
            raise _RefusedError(BAD_LENGTH)
        one = Submitted(f"{len(self.submitted) + 1:08x}", to, sender, gsm7.decode(message, known), known, reference, total, number)
        self.submitted.append(one)
        if registered & 1:
            self.receipts.append(self._receipt(one))
        return one.id

    def _receipt(self, one: Submitted) -> bytes:
        state, error = ("UNDELIV", "027") if one.to in self.unreachable else ("DELIVRD", "000")
        said = (
            f"id:{one.id} sub:001 dlvrd:{'000' if error != '000' else '001'} submit date:2611241000 done date:2611241001"
            f" stat:{state} err:{error} text:{one.text[:20]}"
        ).encode("ascii", "replace")  # fmt: skip
        ends = b"\0" + bytes((1, 1)) + one.to.encode() + b"\0" + bytes((5, 0)) + one.sender.encode() + b"\0"
        return ends + bytes((0x04, 0, 0)) + b"\0\0" + bytes((0, 0, 0, 0, len(said))) + said

    def _deliver(self, writer: asyncio.StreamWriter, sequence: int) -> int:
        """Send the oldest receipt; the next one follows when this is acknowledged."""
        if self.receipts:
            sequence += 1
            writer.write(struct.pack(">IIII", 16 + len(self.receipts[0]), DELIVER, OK, sequence) + self.receipts[0])
        return sequence


def _text(body: bytes, most: int) -> tuple[str, bytes]:
    """Read a C string of at most `most` octets with its zero."""
    end = body.find(b"\0", 0, most)
    if end < 0:
        raise _RefusedError(BAD_LENGTH)
    return body[:end].decode("ascii", "replace"), body[end + 1 :]
