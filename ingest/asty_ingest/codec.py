"""MQTT 5 and 3.1.1 as bytes, without a socket: mqtt5 speaks 5, and 3.1.1 is 5 without what 5 added."""

import struct
from collections.abc import Iterator, Sequence

import mqtt5
from mqtt5 import ConnectPacket, Packet, QoS, SubscribePacket, TopicFilter

_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _SUBACK = 1, 2, 3, 8, 9
_REFUSALS = {1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
"""Of a connection: the return codes of 3.1.1 (3.2.2.3) as reason codes of 5."""
_PUBACK = struct.Struct(">HH").pack


class ProtocolError(Exception):
    """The other end does not speak MQTT, or not so that we understand it."""


class Codec:
    """One direction of a connection's bytes: `feed` what came, get packets; write packets to bytes."""

    def __init__(self, version: str) -> None:
        self._old = version != "5"
        self._came = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Return the packets that are complete now. Raises ProtocolError."""
        self._came += data
        at = 0
        view = memoryview(bytes(self._came))
        try:
            while True:
                packet, size = self._read(view[at:])
                at += size
                yield packet
        except IndexError:
            del self._came[:at]
        except ValueError as error:
            raise ProtocolError(str(error)) from error

    def connect(self, packet: ConnectPacket) -> bytes:
        if not self._old:
            return packet.write()
        body = bytearray(_body(ConnectPacket(packet.client_id, username=packet.username, password=packet.password,
                                             clean_start=packet.clean_start, keep_alive=packet.keep_alive).write()))  # fmt: skip
        body[6] = 4  # the level of the protocol
        return _packet(_CONNECT << 4, bytes(body[:10] + body[11:]))

    def subscribe(self, packet_id: int, filters: Sequence[str]) -> bytes:
        """Write a subscription with QoS 1."""
        wanted = [TopicFilter(name, max_qos=QoS.AT_LEAST_ONCE, retain_as_published=False) for name in filters]
        data = SubscribePacket(packet_id, wanted).write()
        if not self._old:
            return data
        body = _body(data)
        return _packet(data[0], body[:2] + body[3:])

    def _read(self, view: memoryview) -> tuple[Packet, int]:
        if not self._old:
            return mqtt5.read(view)
        head, size = _head(view)
        end = head + size
        if len(view) < end:
            raise IndexError
        return mqtt5.read(memoryview(_as_new(view[0], bytes(view[head:end]))))[0], end


def acknowledgements(packet_ids: Sequence[int]) -> bytes:
    """Write a PUBACK for each of these messages, the same in both versions."""
    return b"".join([_PUBACK(0x4002, packet_id) for packet_id in packet_ids])


PING = mqtt5.PingReqPacket().write()
DISCONNECT = mqtt5.DisconnectPacket().write()


def _as_new(first: int, body: bytes) -> bytes:
    """Return a packet of 3.1.1 as one of 5: the properties are empty."""
    kind = first >> 4
    if kind == _CONNACK and len(body) == 2:
        body = bytes((body[0], _REFUSALS.get(body[1], body[1]), 0))
    elif kind == _SUBACK:
        body = body[:2] + b"\0" + body[2:]
    elif kind == _PUBLISH:
        at = 2 + int.from_bytes(body[:2]) + (2 if first & 6 else 0)
        body = body[:at] + b"\0" + body[at:]
    return _packet(first, body)


def _packet(first: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes((first, *length, size)) + body


def _body(packet: bytes) -> bytes:
    head, _ = _head(memoryview(packet))
    return packet[head:]


def _head(view: memoryview) -> tuple[int, int]:
    """Return the size of the fixed header and of what follows it. Raises IndexError when it is cut off, ValueError when it is none."""
    size = 0
    for place in range(4):
        byte = view[1 + place]
        size |= (byte & 127) << 7 * place
        if byte < 128:
            return 2 + place, size
    raise ValueError("a length of more than four bytes")
