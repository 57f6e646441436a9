"""A device that speaks on a serial line: opens it, feeds the codec, yields what the frames mean."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from asty_edge.device import Counters
from asty_edge.drivers.framing import Bad, Decode, Deframer, count_bad
from asty_edge.reading import Reading
from asty_edge.transports.serial_line import Line, SerialPort


class StreamDevice[F]:
    """Yields what `interpret` makes of each frame; a fresh interpreter is made for every connection.

    `ask` is sent when the line opens, and again after `ask_again_s` seconds of silence.
    """

    def __init__(
        self,
        line: Line,
        decode: Decode[F],
        interpreter: Callable[[], Callable[[int, F], Iterable[Reading | Bad]]],
        *,
        ask: bytes = b"",
        ask_again_s: float | None = None,
    ) -> None:
        self.counters = Counters()
        self._line = line
        self._decode = decode
        self._interpreter = interpreter
        self._ask = ask
        self._ask_again_s = ask_again_s

    async def readings(self) -> AsyncIterator[Reading]:
        """Yield readings until the line is lost. Raises DeviceLostError or DeviceMisconfiguredError."""
        deframer, interpret = Deframer(self._decode, self.counters), self._interpreter()
        async with SerialPort(self._line) as port:
            if self._ask:
                port.write(self._ask)
            while True:
                try:
                    async with asyncio.timeout(self._ask_again_s):
                        at, chunk = await port.read()
                except TimeoutError:
                    port.write(self._ask)
                    continue
                for frame in deframer.feed(chunk):
                    for meant in interpret(at, frame):
                        if isinstance(meant, Bad):
                            count_bad(self.counters, meant)
                        else:
                            yield meant
