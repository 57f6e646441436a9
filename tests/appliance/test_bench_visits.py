"""What the web benchmark's figures rest on: percentiles, arrivals that know nothing of each other, delays that are not hidden."""

import asyncio
import time

import pytest
from asty_appliance.bench.visits import Visit, arrivals, load, percentile, weigh


def test_percentiles_are_the_smallest_that_so_many_do_not_exceed() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], q) for q in (0.25, 0.5, 0.51, 0.95, 1)] == [1, 2, 3, 4, 4]
    assert percentile([], 0.5) is None


def test_visitors_come_at_the_rate_that_was_asked_for_and_the_same_ones_each_time() -> None:
    due = arrivals(200, 30, seed=1)
    assert len(due) == pytest.approx(6000, rel=0.05)
    assert due == sorted(due) == arrivals(200, 30, seed=1)


class Slow:
    """Answers one request at a time, each after 50 ms; /gone with 404."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                writer.close()
                await writer.wait_closed()
                return
            async with self._one:
                await asyncio.sleep(0.05)
            path = head.split(b" ")[1]
            body = b'<link href="/a.css"><link href="/m.webmanifest" rel="manifest">' if path == b"/" else b"url(x-greek-wght.woff2)"
            kind = b"text/html" if path == b"/" else b"text/css" if path == b"/a.css" else b"font/woff2"
            status = b"404 Not Found" if path == b"/gone" else b"200 OK"
            writer.write(b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(body), body))


async def test_a_queue_before_a_slow_server_is_seen_in_the_figures_and_an_unexpected_answer_is_an_error() -> None:
    server = await asyncio.start_server(Slow(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    visits = iter([Visit("page", "/")] * 8 + [Visit("gone", "/gone")])
    began = time.monotonic()
    tally = await load(port, [0.0] * 9, lambda: next(visits))
    whole = (time.monotonic() - began) * 1000
    pages = tally.spread("page")
    assert (pages.n, pages.errors, tally.spread("gone").errors) == (8, 0, 1)
    assert pages.worst is not None
    assert 0.05 * 1000 * 8 * 0.9 <= pages.worst <= whole  # the last waited for the seven before it, and that counts
    server.close()
    await server.wait_closed()


async def test_a_connection_that_the_server_has_closed_while_it_rested_is_no_error_of_a_page() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    tally = await load(server.sockets[0].getsockname()[1], [0.0, 0.2, 0.4], lambda: Visit("page", "/"))
    assert (tally.spread("page").n, tally.spread("page").errors) == (3, 0)
    server.close()
    await server.wait_closed()


async def test_a_pages_weight_counts_its_styles_and_their_greek_font_and_not_its_manifest() -> None:
    server = await asyncio.start_server(Slow(), "127.0.0.1", 0)
    weights = await weigh(server.sockets[0].getsockname()[1], "/")
    assert list(weights) == ["/", "/a.css", "/x-greek-wght.woff2"]
    server.close()
    await server.wait_closed()
