"""The mobile network between edges and broker: a TCP relay that cuts, stalls, goes silent and breaks off in the middle of a packet."""

import asyncio
import threading
from contextlib import suppress
from enum import Enum
from random import Random

CHUNK = 16_384


class Weather(Enum):
    """`lossy`: a fifth of what passes is late, as TCP makes it when packets are lost, and some connections break off mid-packet.

    `silent`: nothing passes, and nobody is told. `deaf`: edges are heard but hear nothing, so acknowledgements are lost.
    """

    CLEAR = "clear"
    CUT = "cut"
    LOSSY = "lossy"
    SILENT = "silent"
    DEAF = "deaf"


LOSS = 0.2
BREAKS = 0.01
LATE_S = (0.05, 0.6)


class Proxy:
    """Relays 127.0.0.1:`port` to 127.0.0.1:`broker` on a thread of its own."""

    def __init__(self, port: int, broker: int, random: Random) -> None:
        self._port = port
        self._broker = broker
        self._random = random
        self._weather = Weather.CLEAR
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self.broken = 0
        """Connections that were cut."""

    def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """End every connection and the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def set(self, weather: Weather) -> None:
        """Change the weather; connections that lost something by it do not survive the change."""
        self._loop.call_soon_threadsafe(self._change, weather)

    def _change(self, weather: Weather) -> None:
        torn = self._weather in (Weather.SILENT, Weather.DEAF) or weather is Weather.CUT
        self._weather = weather
        if torn:
            self._break_all()

    def _break_all(self) -> None:
        for writer in tuple(self._writers):
            self._break(writer)

    def _break(self, writer: asyncio.StreamWriter) -> None:
        self.broken += 1
        writer.transport.abort()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self._port)

    async def _end(self) -> None:
        self._server.close()
        self._break_all()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=5)

    async def _relay(self, from_edge: asyncio.StreamReader, to_edge: asyncio.StreamWriter) -> None:
        if self._weather is Weather.CUT:
            to_edge.transport.abort()
            return
        try:
            from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._broker)
        except OSError:
            to_edge.transport.abort()
            return
        both = {to_edge, to_broker}
        self._writers |= both
        pumps = [
            asyncio.ensure_future(self._pump(from_edge, to_broker, down=False)),
            asyncio.ensure_future(self._pump(from_broker, to_edge, down=True)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writers -= both
            for pump in pumps:
                pump.cancel()
            for writer in both:
                writer.transport.abort()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._weather is Weather.LOSSY and not await self._survives(data, writer):
                    return
                if self._weather is Weather.SILENT or (self._weather is Weather.DEAF and down):
                    continue
                writer.write(data)
                await writer.drain()

    async def _survives(self, data: bytes, writer: asyncio.StreamWriter) -> bool:
        """Be late, or pass a part and break off: then False."""
        if self._random.random() < BREAKS:
            writer.write(data[: self._random.randrange(len(data))])
            await writer.drain()
            self.broken += 1
            return False
        if self._random.random() < LOSS:
            await asyncio.sleep(self._random.uniform(*LATE_S))
        return True
