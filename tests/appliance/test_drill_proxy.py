"""The network of a drill does to connections what the weather says, and nothing else."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from random import Random

import pytest
from asty_appliance.drill.proxy import Proxy, Weather

PATIENCE = 10


class Echo:
    """A peer that sends back what it hears, in capitals, and remembers it."""

    def __init__(self, port: int) -> None:
        self.heard = bytearray()
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def start(self) -> None:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._answer, "127.0.0.1", self._port), self._loop).result(5)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                self.heard += data
                writer.write(data.upper())
                await writer.drain()
        writer.close()


@pytest.fixture
def echo(free_port: Callable[[], int]) -> Iterator[Echo]:
    echo = Echo(free_port())
    echo.start()
    yield echo
    echo.stop()


@pytest.fixture
def proxy(echo: Echo, free_port: Callable[[], int]) -> Iterator[Proxy]:
    proxy = Proxy(free_port(), echo._port, Random(1))
    proxy.start()
    yield proxy
    proxy.stop()


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Connection]]


@pytest.fixture
async def connect(proxy: Proxy) -> AsyncIterator[Connect]:
    """Connect to the proxy; connections are closed at the end."""
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> Connection:
        connection = await asyncio.open_connection("127.0.0.1", proxy._port)
        opened.append(connection[1])
        return connection

    yield connect
    for writer in opened:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def ask(connection: Connection, word: bytes) -> bytes:
    reader, writer = connection
    writer.write(word)
    async with asyncio.timeout(PATIENCE):
        return await reader.readexactly(len(word))


async def is_broken(connection: Connection) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await connection[0].read(1) == b""
    except ConnectionError:
        return True


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the other side is a thread
            await asyncio.sleep(0.01)


async def test_clear_weather_passes_everything_both_ways(connect: Connect, proxy: Proxy) -> None:
    connection = await connect()
    word = b"abc" * 100_000
    assert await ask(connection, word) == word.upper()


async def test_a_cut_breaks_connections_and_refuses_new_ones_until_it_clears(connect: Connect, proxy: Proxy) -> None:
    connection = await connect()
    assert await ask(connection, b"there?") == b"THERE?"
    proxy.set(Weather.CUT)
    assert await is_broken(connection)
    assert await is_broken(await connect())
    proxy.set(Weather.CLEAR)
    again = await connect()
    assert await ask(again, b"again") == b"AGAIN"


async def test_a_deaf_edge_is_heard_and_hears_nothing(connect: Connect, proxy: Proxy, echo: Echo) -> None:
    reader, writer = connection = await connect()
    assert await ask(connection, b"a") == b"A"
    proxy.set(Weather.DEAF)
    await until(lambda: proxy._weather is Weather.DEAF)
    writer.write(b"hello")
    await until(lambda: bytes(echo.heard) == b"ahello")
    proxy.set(Weather.CLEAR)
    with suppress(ConnectionError):
        assert await reader.read() == b"", "what was lost is not delivered late"


async def test_in_silence_nothing_passes_and_the_connection_ends_with_it(connect: Connect, proxy: Proxy, echo: Echo) -> None:
    connection = await connect()
    assert await ask(connection, b"a") == b"A"
    proxy.set(Weather.SILENT)
    await until(lambda: proxy._weather is Weather.SILENT)
    connection[1].write(b"lost")
    await connection[1].drain()
    await asyncio.sleep(0)
    proxy.set(Weather.CLEAR)
    assert await is_broken(connection)
    assert bytes(echo.heard) == b"a"


async def test_loss_breaks_connections_off_and_never_changes_or_drops_a_byte_before_the_break(
    connect: Connect, proxy: Proxy, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asty_appliance.drill.proxy.LATE_S", (0, 0.001))
    monkeypatch.setattr("asty_appliance.drill.proxy.BREAKS", 0.1)
    proxy.set(Weather.LOSSY)
    await until(lambda: proxy._weather is Weather.LOSSY)
    reader, writer = await connect()
    sent = b""
    answered = bytearray()
    with suppress(ConnectionError):
        for number in range(2000):
            word = b"%05d" % number
            sent += word
            writer.write(word)
            await writer.drain()
            if not (data := await reader.read(100)):
                break
            answered += data
    assert proxy.broken > 0
    assert sent.startswith(bytes(echo.heard))
    assert sent.startswith(bytes(answered))
