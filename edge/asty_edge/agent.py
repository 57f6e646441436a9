"""The composition of one edge: devices -> fusion -> outbox -> uplink, and the clock that dates all of it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import UUID, uuid4

from asty_contracts.life import Ack, Birth, DeviceInfo, PointInfo, State
from asty_contracts.records import Health

from asty_edge import systemclock
from asty_edge.clock import mono_ms
from asty_edge.collecting import Collector
from asty_edge.config import Config
from asty_edge.devices import DeviceLoop, Fitted
from asty_edge.enrolment import keep_certificate
from asty_edge.event import DeviceState, Event, Moment
from asty_edge.fusion import Fusion
from asty_edge.health import free_bytes, resident_bytes
from asty_edge.outbox import Appended, Outbox, OutboxStuckError
from asty_edge.ranges import Ranges
from asty_edge.reading import Fix, Reading
from asty_edge.settings import Supervision
from asty_edge.timekeeping import SystemTime, Timekeeper
from asty_edge.uplink.machine import Uplink
from asty_edge.uplink.session import FINISH_S, Session
from asty_edge.watchdog import Turning, Watchdog

BATCH_S = 0.2
TICK_S = 1.0
SYSTEM_CLOCK_EVERY = 60
"""Ticks between looks at the system clock."""

DATE_WAIT_MS = 5000
"""How long the first readings wait for a fix that dates them, before the system clock has to."""

DOUBT_MS = 60_000
"""How long a store has to know less than it has acknowledged before it is believed."""

MOST_WAITING = 5000
UNSUPERVISED = Supervision(None, is_watched=False)
RETRY_S = 1.0

_log = logging.getLogger(__name__)


class Agent:
    """One running edge. Use `run` once."""

    def __init__(
        self,
        config: Config,
        fitted: Sequence[Fitted],
        outbox: Outbox,
        *,
        clock: Callable[[], SystemTime] = systemclock.read,
        supervision: Supervision = UNSUPERVISED,
    ) -> None:
        self._config = config
        self._outbox = outbox
        self._started = mono_ms()
        self._clock = clock
        self._time = Timekeeper(clock())
        self._fusion = Fusion(config.fusion, config.vests, config.scanner_heartbeat_s)
        self._loops = [DeviceLoop(one, self.take, config.fusion.device_lost_s) for one in fitted]
        self._states: dict[str, DeviceState] = {}
        self._collector = Collector(outbox)
        self._collected = asyncio.Event()
        self._urgent = asyncio.Event()
        self._undated: list[Reading] | None = []
        self._session_id = uuid4()
        self._session_n = outbox.begin_session(clock().utc // 1000)
        self._uplink = Session(config, outbox, Uplink(outbox.epoch, outbox.acked, outbox.head), self)
        self._refused = 0
        self._turning = Turning()
        self._watchdog = Watchdog(supervision)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; then store what was collected, send for up to 3 s, and return. Raises what broke the agent."""
        if (aside := self._outbox.set_aside) is not None:
            info = f"the outbox was corrupt and is kept as {aside.name}; {self._outbox.held} records could be read and stay"
            self._keep(self._fusion.alarms.set("outbox_lost", True, self._time.moment(mono_ms()), severity="critical", info=info))
        uplink = asyncio.create_task(self._uplink.run(), name="uplink")
        work = [
            asyncio.create_task(self._flushing(), name="flushing"),
            asyncio.create_task(self._ticking(), name="ticking"),
            asyncio.create_task(keep_certificate(self._config), name="certificate"),
            *(asyncio.create_task(loop.run(), name=loop.name) for loop in self._loops),
        ]
        stopping = asyncio.create_task(stop.wait(), name="stopping")
        self._watchdog.ready(f"{len(self._loops)} devices, {self._outbox.held} records wait")
        try:
            done, _ = await asyncio.wait([stopping, uplink, *work], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()
        finally:
            self._watchdog.stopping()
            for task in (stopping, *work):
                task.cancel()
            await asyncio.gather(stopping, *work, return_exceptions=True)
            await self._end(uplink)

    def take(self, reading: Reading) -> None:
        """Take a reading from a device; never waits."""
        if isinstance(reading, Fix):
            self._time.read_fix(reading)
        if self._undated is None:
            self._fuse(reading)
            return
        self._undated.append(reading)
        if self._time.knows_gnss or len(self._undated) >= MOST_WAITING:
            self._date()

    # What the uplink asks and tells (uplink.session.Voice)

    def birth(self) -> Birth:
        """Describe the edge, its devices and their points."""
        edge = self._config.edge
        devices = tuple(
            DeviceInfo(
                loop.name,
                loop.fitted.settings.driver,
                tuple(PointInfo(point.key, point.unit, point.about) for point in loop.fitted.points),
            )
            for loop in self._loops
        )
        return Birth(
            edge=edge.id,
            kind=edge.kind,
            software=f"asty-edge {_software_version()}",
            config=self._config.digest,
            session=self._session_id,
            ep=self._outbox.epoch,
            at=self._utc(),
            devices=devices,
        )

    def state(self, *, up: bool) -> State:
        """Describe the session and how far the numbers go."""
        return State(up=up, session=self._session_id, n=self._session_n, at=self._utc(), ep=self._outbox.epoch, head=self._outbox.head)

    def hear_ack(self, ack: Ack, *, retained: bool) -> None:
        """Delete what is stored, and answer for what the store says that it lost.

        A retained acknowledgement may be old, and so may those that a broker kept while the connection was away: only a store that goes on
        knowing less than it has acknowledged has lost something.
        """
        if ack.ep != self._outbox.epoch:
            return
        if ack.upto > self._outbox.head:
            self._begin_anew(ack)
            return
        now = mono_ms()
        if self._uplink.machine.acknowledged(ack, now):
            self._delete_acknowledged()
        if ack.upto >= self._uplink.machine.acked:
            self._doubted_since = None
        elif self._doubted_since is None:
            self._doubted_since = now
        doubted = self._doubted_since is not None and now - self._doubted_since < DOUBT_MS
        if ack.miss and not retained and not doubted:
            self._account_for(Ranges(ack.miss))
        if ack.refused:
            self._set_refused_aside(Ranges(ack.refused))

    # How

    def _fuse(self, reading: Reading) -> None:
        self._keep(self._fusion.feed(reading, self._time.moment(reading.at)))

    def _date(self) -> None:
        """Let the first readings go: now there is a date, or there will be no better one soon."""
        readings, self._undated = self._undated or [], None
        for reading in readings:
            self._fuse(reading)

    def _keep(self, events: Sequence[Event]) -> None:
        if not events:
            return
        if self._collector.add(events):
            self._urgent.set()
        self._turning.waits("flushing", mono_ms())
        self._collected.set()

    async def _flushing(self) -> None:
        while True:
            await self._collected.wait()
            try:
                async with asyncio.timeout(BATCH_S):
                    await self._urgent.wait()
            except TimeoutError:
                pass
            self._collected.clear()
            self._urgent.clear()
            self._flush()
            self._turning.turned("flushing")
            if self._collector.stuck:
                await asyncio.sleep(RETRY_S)
                self._collected.set()

    def _flush(self) -> None:
        appended = self._collector.flush(self._uplink.machine.on_their_way if self._outbox.is_full else Ranges())
        if appended is None:
            return
        self._uplink.machine.appended(appended.first, appended.last, appended.urgent, mono_ms())
        self._uplink.wake()
        self._tell_fullness(appended)

    def _tell_fullness(self, appended: Appended) -> None:
        self._refused += appended.refused
        when = self._time.moment(mono_ms())
        if appended.thinned or appended.refused:
            info = f"positions give way: {self._outbox.given_up} thinned so far" + (
                ", new ones are not recorded" if appended.refused else ""
            )
            self._keep(self._fusion.alarms.set("outbox_full", True, when, info=info))
        elif not self._outbox.is_full and self._outbox.bytes < self._config.outbox.max_bytes * 0.9:
            info = f"room again; {self._refused} positions were not recorded"
            ended = self._fusion.alarms.set("outbox_full", False, when, info=info)
            self._refused = 0 if ended else self._refused
            self._keep(ended)

    async def _ticking(self) -> None:
        health_at: int | None = None
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            now = mono_ms()
            self._watchdog.alive(self._turning.hanging(now))
            ticks += 1
            if ticks % SYSTEM_CLOCK_EVERY == 0:
                self._time.read_system(self._clock())
            if self._undated is not None:
                if now - self._started < DATE_WAIT_MS:
                    continue
                self._date()
            self._tick(now)
            if health_at is None or now - health_at >= self._config.fusion.health_every_s * 1000:
                health_at = now
                self._keep([Event(self._time.moment(now), self._health(now))])

    def _tick(self, now: int) -> None:
        when = self._time.moment(now)
        for loop in self._loops:
            state = loop.state(now)
            if state != self._states.get(loop.name):
                self._states[loop.name] = state
                self._keep(self._fusion.device(loop.name, state, loop.why, when))
        self._keep(self._fusion.tick(when))
        stuck = self._collector.stuck
        self._keep(self._fusion.alarms.set("disk_full", bool(stuck), when, severity="critical", info=stuck))
        if self._uplink.machine.acked > self._outbox.acked:
            self._delete_acknowledged()
        if self._outbox.damaged:
            self._isolate_damaged(when)

    def _health(self, now: int) -> Health:
        return Health(
            up=(now - self._started) // 1000,
            head=self._outbox.head,
            acked=self._outbox.acked,
            held=self._outbox.held,
            bytes=self._outbox.bytes,
            rss=resident_bytes(),
            disk=free_bytes(Path(self._config.outbox.path).parent),
            devices={loop.name: loop.health(now, lambda mono: self._time.moment(mono).utc) for loop in self._loops},
        )

    def _delete_acknowledged(self) -> None:
        try:
            self._outbox.acknowledge(self._uplink.machine.acked)
        except OutboxStuckError as error:
            _log.warning("%s; acknowledged records stay for now and are deleted later", error)

    def _isolate_damaged(self, when: Moment) -> None:
        damaged = self._outbox.damaged
        try:
            appended = self._outbox.isolate(when)
        except OutboxStuckError as error:
            _log.warning("%s; %d damaged records are isolated later", error, len(damaged))
            return
        info = f"{len(damaged)} records in the outbox were not what had been written: {damaged!r}; gap records name them"
        _log.error("%s; what could be read of them is kept in its table `damaged`: look after the disk", info)
        self._uplink.machine.appended(appended.first, appended.last, (), mono_ms())
        self._uplink.wake()
        self._keep(self._fusion.alarms.set("outbox_damaged", True, when, severity="critical", info=info))

    def _set_refused_aside(self, refused: Ranges) -> None:
        """Send no more what the town does not take: it is kept here, and a gap says so."""
        when = self._time.moment(mono_ms())
        try:
            appended = self._outbox.refuse(refused, when)
        except OutboxStuckError as error:
            _log.warning("%s; refused records are set aside with the next acknowledgement", error)
            return
        if appended.last < appended.first:
            return
        info = f"the town refused records {refused!r} for what is in them; gap records name them"
        _log.error("%s; they are kept in the outbox's table `refused` (asty-edge inspect lists them), the town keeps the reason", info)
        self._uplink.machine.set_aside(refused)
        self._uplink.machine.appended(appended.first, appended.last, (), mono_ms())
        self._uplink.wake()
        self._keep(self._fusion.alarms.set("records_refused", True, when, info=info))

    def _account_for(self, missing: Ranges) -> None:
        """Answer for numbers that the store lacks and that nobody has: it lost them after it had acknowledged them."""
        lost = self._outbox.lacking(missing)
        if not lost:
            return
        _log.error("the town's store asks for %d records that it had acknowledged and that were deleted here: %r", len(lost), lost)
        try:
            appended = self._outbox.account(lost, "not_held", self._time.moment(mono_ms()))
        except OutboxStuckError as error:
            _log.warning("%s; the gap is written when the store asks again", error)
            return
        self._uplink.machine.appended(appended.first, appended.last, (), mono_ms())
        self._uplink.wake()

    def _begin_anew(self, ack: Ack) -> None:
        """The store knows numbers beyond ours: this file is an old copy, and its next numbers are taken."""
        _log.error(
            "the store has records up to %d of this outbox, which ends at %d: it is an old copy; the %d records held begin a new epoch",
            ack.upto, self._outbox.head, self._outbox.held,
        )  # fmt: skip
        try:
            self._outbox.renumber()
        except OutboxStuckError as error:
            _log.warning("%s; it is tried again with the next acknowledgement", error)
            return
        self._uplink.machine = Uplink(self._outbox.epoch, self._outbox.acked, self._outbox.head)
        self._uplink.machine.connected(mono_ms())
        self._uplink.wake()

    async def _end(self, uplink: "asyncio.Task[None]") -> None:
        self._date()
        self._flush()
        if len(self._collector):
            _log.error("%d records could not be stored and are lost: %s", len(self._collector), self._collector.stuck)
        self._uplink.finish()
        _, late = await asyncio.wait([uplink], timeout=FINISH_S + 1 if self._uplink.is_connected else 0)
        for task in late:
            task.cancel()
        await asyncio.gather(uplink, return_exceptions=True)

    def _utc(self) -> int:
        return self._time.moment(mono_ms()).utc

    @property
    def epoch(self) -> UUID:
        """The outbox's epoch."""
        return self._outbox.epoch


def _software_version() -> str:
    try:
        return version("asty-edge")
    except PackageNotFoundError:
        return "from a source tree"
