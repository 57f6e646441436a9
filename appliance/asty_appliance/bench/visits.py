"""Visitors who come when they come: an open loop over HTTP/1.1, so that a slow answer delays nobody else and hides nothing."""

import asyncio
import gzip
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

from msgspec import Struct


class Visit(Struct, frozen=True):
    """One request. `kind` names what is asked in the figures; `form` is a form's body, without one it is a GET."""

    kind: str
    path: str
    cookie: str = ""
    form: str = ""
    expects: int = 200


class Spread(Struct, frozen=True):
    """How many were sent, how many went wrong (another status, a broken connection), and ms that so many of 100 do not exceed."""

    n: int
    errors: int
    p50: float | None
    p95: float | None
    p99: float | None
    worst: float | None


@dataclass(slots=True)
class Tally:
    """Milliseconds by kind, from when a visit was due to the last byte of its answer; `late` how far behind the client itself began."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    late: list[float] = field(default_factory=list)

    def spread(self, kind: str | None = None) -> Spread:
        """Return the figures of one kind, or of all."""
        took = sorted(ms for name, times in self.took.items() if kind in (None, name) for ms in times)
        errors = sum(len(said) for name, said in self.wrong.items() if kind in (None, name))
        p50, p95, p99 = (percentile(took, q) for q in (0.5, 0.95, 0.99))
        return Spread(len(took) + errors, errors, p50, p95, p99, percentile(took, 1))


def percentile(rising: Sequence[float], q: float) -> float | None:
    """Return the smallest of rising numbers that `q` (0 to 1) of all do not exceed; None of none."""
    if not rising:
        return None
    return round(rising[min(len(rising) - 1, max(0, -int(-q * len(rising) // 1) - 1))], 1)


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """Return when visitors come who know nothing of each other: exponential gaps, seconds from the start."""
    dice, at, found = random.Random(seed), 0.0, []  # noqa: S311  no secret
    while (at := at + dice.expovariate(rate)) < seconds:
        found.append(at)
    return found


class Browsers:
    """Connections that are kept open, as browsers keep them; a new one when all are in use."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, visit: Visit) -> tuple[int, dict[str, str], bytes]:
        """Ask and return status, headers and the body as it was sent. Raises OSError, asyncio.IncompleteReadError."""
        reader, writer = await self._connection()
        body = visit.form.encode()
        lines = [f"{'POST' if visit.form else 'GET'} {visit.path} HTTP/1.1", f"Host: localhost:{self._port}", "Accept-Encoding: gzip"]
        if visit.cookie:
            lines.append(f"Cookie: {visit.cookie}")
        if visit.form:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, headers = int(head.split(" ", 2)[1]), _headers(head)
        content = await _chunks(reader) if headers.get("transfer-encoding") == "chunked" else await _exactly(reader, headers, status)
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return status, headers, content

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a kept connection that the server has not closed while it rested, or a new one."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()


async def load(port: int, due: Sequence[float], next_visit: Callable[[], Visit]) -> Tally:
    """Send a visit at each of these times (s from now), whether or not the earlier ones are answered."""
    browsers, tally = Browsers(port), Tally()
    began = time.monotonic()

    async def go(at: float, visit: Visit) -> None:
        try:
            status, _, _ = await asyncio.wait_for(browsers.send(visit), 30)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            tally.wrong[visit.kind].append(type(error).__name__)
            return
        if status != visit.expects:
            tally.wrong[visit.kind].append(str(status))
            return
        tally.took[visit.kind].append((time.monotonic() - began - at) * 1000)

    async with asyncio.TaskGroup() as group:
        for at in due:
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            tally.late.append((time.monotonic() - began - at) * 1000)
            group.create_task(go(at, next_visit()))
    await browsers.close()
    return tally


async def weigh(port: int, path: str) -> dict[str, int]:
    """Return the bytes that a browser's first visit transfers for a page and what it needs to draw it, heads included, by address."""
    browsers = Browsers(port)
    weights: dict[str, int] = {}
    left = [path]
    while left:
        address = left.pop(0)
        _, headers, content = await browsers.send(Visit("weight", address))
        weights[address] = len(content) + sum(len(name) + len(value) + 4 for name, value in headers.items())
        kind = headers.get("content-type", "")
        if kind.startswith(("text/html", "text/css")):
            text = (gzip.decompress(content) if headers.get("content-encoding") == "gzip" else content).decode()
            named = _named(text) if kind.startswith("text/html") else _fonts(text, address)
            left += [one for one in named if one not in weights and one not in left]
    await browsers.close()
    return weights


def _named(text: str) -> list[str]:
    """Return what a page makes a browser load at once, in Greek and by day."""
    loaded = [
        tag
        for tag in text.split("<")[1:]
        if tag.startswith(("link ", "script ", "img ")) and "prefers-color-scheme: dark" not in tag and "manifest" not in tag
    ]
    addresses = [tag.split(name)[1].split('"')[0] for tag in loaded for name in ('href="', 'src="') if name in tag]
    return [address for address in addresses if address.startswith("/")]


def _fonts(css: str, address: str) -> list[str]:
    """Return the fonts of a style sheet that Greek text with Latin letters and digits wants."""
    names = (part.split(")")[0].strip("\"'") for part in css.split("url(")[1:])
    return [urljoin(address, name) for name in names if "-greek-wght" in name or "-latin-wght" in name]


def _headers(head: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in head.split("\r\n")[1:] if line)
    return {name.lower(): value for name, _, value in pairs}


async def _exactly(reader: asyncio.StreamReader, headers: dict[str, str], status: int) -> bytes:
    return await reader.readexactly(0 if status == 304 else int(headers.get("content-length", "0")))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while size := int(await reader.readline(), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return found
