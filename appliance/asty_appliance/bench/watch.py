"""What is seen of a loaded town from outside: stored rows, a reader's page, the use of CPU and memory. One thread each."""

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import httpx
import psutil
import psycopg

PAGE_S = 1.0
"""A page takes itself anew at most this often (look/src/js/live.js) …"""
URGENT_S = 0.25
"""… and this often when it is told of an alarm."""
SAMPLE_S = 5.0
LOOK_S = 0.1
"""How often the ledger is read: a row counts as stored up to so much later than it was."""
RETRY_S = 0.5
MACHINE = "the whole machine"
"""Whose use is sampled beside that of the processes: what is left of it belongs to others."""
_TOKEN = re.compile(r"bench no (\d+)")


class Seen(NamedTuple):
    """At `at` (UTC ms) everything of `edge` up to the sequence `head` that came over the live lane was stored."""

    at: int
    edge: str
    head: int


class Used(NamedTuple):
    """CPU seconds that a program (of PostgreSQL: with its children) has used since it began, and its resident bytes now."""

    at: float
    name: str
    cpu: float
    rss: int


class Watch:
    """Runs `look` in a thread, again after an error of the outside world, until `end`."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join(10)

    def look(self) -> None:
        """Watch until `ended`; an error ends this look, not the watch."""
        raise NotImplementedError

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def _run(self) -> None:
        while not self.ended:
            with suppress(psycopg.Error, httpx.HTTPError, OSError):
                self.look()
            self._ended.wait(RETRY_S)


class Heard(NamedTuple):
    """Somebody was told at `at` (UTC ms) of these edges; of none when told no more than to look."""

    at: int
    edges: frozenset[str]


class StoreWatch(Watch):
    """Hears of each commit and reads from the ledger how far it went. The time is taken after the answer: never too early.

    `rung` are the notices of alarms, as they come.
    """

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self._dsn = dsn
        self.seen: list[Seen] = []
        self.rung: list[Heard] = []

    def look(self) -> None:
        query = "SELECT edge, upper(stored) - 1 FROM telemetry.ledger WHERE edge = ANY(%s) AND NOT isempty(stored)"
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute("LISTEN telemetry_changed")
            while not self.ended:
                edges = set()
                for notice in connection.notifies(timeout=LOOK_S):
                    said = json.loads(notice.payload)
                    edges.add(str(said["edge"]))
                    if "alarm" in said["kinds"]:
                        self.rung.append(Heard(time.time_ns() // 1_000_000, frozenset({str(said["edge"])})))
                if edges:
                    heads = connection.execute(query, [sorted(edges)]).fetchall()
                    now = time.time_ns() // 1_000_000
                    self.seen += [Seen(now, edge, head) for edge, head in heads]


class EventWatch(Watch):
    """Follows /live/events as a page does."""

    def __init__(self, web: str, token: str, told: Callable[[bool], None]) -> None:
        super().__init__()
        self._web = web
        self._headers = {"Authorization": f"Bearer {token}"}
        self._told = told
        self.heard: list[Heard] = []

    def look(self) -> None:
        timeout = httpx.Timeout(5, read=30)
        client = httpx.Client(trust_env=False, timeout=timeout, headers=self._headers)
        with client, client.stream("GET", f"{self._web}/live/events") as answer:
            for line in answer.iter_lines():
                if self.ended:
                    return
                if line.startswith("data: "):
                    now = time.time_ns() // 1_000_000
                    said = json.loads(line.removeprefix("data: "))
                    self.heard.append(Heard(now, frozenset(said.get("edges", []))))
                    self._told("alarm" in said.get("kinds", []))


class PageWatch(Watch):
    """An officer's list of alarms: taken anew when told, as the page's own script does; `shown` is when a number first stood on it."""

    def __init__(self, web: str, token: str) -> None:
        super().__init__()
        self._web = web
        self._headers = {"Authorization": f"Bearer {token}"}
        self._told = threading.Condition()
        self._pause: float | None = None  # after the last look, before the next; None: nothing changed
        self.shown: dict[int, int] = {}

    def told(self, urgent: bool) -> None:
        """Something changed."""
        with self._told:
            pause = URGENT_S if urgent else PAGE_S
            self._pause = pause if self._pause is None else min(self._pause, pause)
            self._told.notify_all()

    def look(self) -> None:
        with httpx.Client(trust_env=False, timeout=10, headers=self._headers) as client:
            last = 0.0
            while not self.ended:
                if not self._is_due(last):
                    continue
                last = time.monotonic()
                page = client.get(f"{self._web}/alarms")
                now = time.time_ns() // 1_000_000
                for number in _TOKEN.findall(page.text):
                    self.shown.setdefault(int(number), now)

    def _is_due(self, last: float) -> bool:
        """Wait until the page is to be taken anew, half a second at most; tell whether it is."""
        with self._told:
            left = 0.5 if self._pause is None else min(0.5, last + self._pause - time.monotonic())
            if left > 0:
                self._told.wait(left)
            if self._pause is None or time.monotonic() < last + self._pause:
                return False
            self._pause = None
            return True


class UseWatch(Watch):
    """Samples CPU time and memory of named processes; a pid of 0 is a process that is not there."""

    def __init__(self, pids: Callable[[], dict[str, int]]) -> None:
        super().__init__()
        self._pids = pids
        self.used: list[Used] = []

    def look(self) -> None:
        while not self.ended:
            self.used.append(Used(time.time(), MACHINE, _busy(), 0))
            for name, pid in self._pids().items():
                with suppress(psutil.NoSuchProcess):
                    self.used.append(_used(name, pid))
            self._ended.wait(SAMPLE_S)


def _busy() -> float:
    """Return the CPU seconds that all cores have been busy since the machine began."""
    it = psutil.cpu_times()
    return float(it.user + it.system + getattr(it, "nice", 0) + getattr(it, "irq", 0) + getattr(it, "softirq", 0))


def _used(name: str, pid: int) -> Used:
    process = psutil.Process(pid)
    cpu, rss = 0.0, 0
    for it in (process, *(process.children() if process.name() == "postgres" else ())):  # to look for children reads every process there is
        with suppress(psutil.NoSuchProcess):
            times = it.cpu_times()
            cpu += times.user + times.system
            rss += it.memory_info().rss - (it.memory_info().shared if it.name() == "postgres" else 0)
    return Used(time.time(), name, cpu, rss)
