"""The trials that Asty and its peers stand alike: a drain, a live run, a kill in a flood, a database that is gone for a while."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
from msgspec import Struct

from asty_appliance.bench.peers.contenders import Batch, Contender, batch, connected_at
from asty_appliance.bench.publisher import Publisher
from asty_appliance.program import Program
from asty_appliance.supervision import Supervision

FINISH_S = 300.0
QUIET_S = 30.0
GONE_S = 20.0
LOOK_S = 10.0
FLOOD_PER_PACK = 20


class Speed(Struct, frozen=True):
    """Readings per second from the broker to committed rows; None and a note where it did not finish."""

    per_pack: int
    readings: int
    drain: int | None
    live: int | None
    note: str = ""


class Fault(Struct, frozen=True):
    """What was left of a flood of `sent` readings, each sent once; `seconds` from the fault until nothing changed any more."""

    fault: str
    sent: int
    lost: int
    doubled: int
    seconds: float
    note: str = ""


class Ground(Struct, frozen=True):
    """Where the trials take place."""

    supervision: Supervision
    port: int
    postgres: Program


def speed(ground: Ground, contender: Contender, per_pack: int, readings: int) -> Speed:
    """Measure a drain, then a live run. Raises NotReadyError when it does not even begin to store."""
    notes = []
    rates: dict[str, int | None] = {}
    for mode, measure in (("drain", _drain), ("live", _live)):
        wanted = batch(readings, per_pack)
        contender.start()
        try:
            rates[mode] = round(wanted.readings / measure(ground, contender, wanted))
        except TimeoutError as error:
            rates[mode] = None
            notes.append(f"{mode}: {error}")
        finally:
            contender.stop()
    return Speed(per_pack, readings, rates["drain"], rates["live"], "; ".join(notes))


def kill_in_a_flood(ground: Ground, contender: Contender, readings: int) -> Fault:
    """Kill it when half of the packs are at the broker; its supervisor starts it again."""
    return _flood(ground, contender, readings, "kill -9", contender.kill)


def database_gone(ground: Ground, contender: Contender, readings: int) -> Fault:
    """Stop PostgreSQL for 20 s when half of the packs are at the broker."""

    def restart() -> None:
        ground.supervision.stop([ground.postgres.name])
        time.sleep(GONE_S)
        ground.supervision.start([ground.postgres])

    return _flood(ground, contender, readings, f"PostgreSQL gone for {GONE_S:.0f} s", restart)


def _drain(ground: Ground, contender: Contender, wanted: Batch) -> float:
    """Return the seconds from its connection to the broker, which holds all packs, to the last row."""
    ground.supervision.stop([contender.reader.name])
    _publish(ground, iter(wanted.messages()))
    ground.supervision.start([contender.reader])
    begin = connected_at(ground.supervision.pid(contender.reader.name), ground.port)
    return _all_stored(contender, wanted) - begin


def _live(ground: Ground, contender: Contender, wanted: Batch) -> float:
    """Return the seconds from the first publish to the last row."""
    begin = time.monotonic()
    _publish(ground, iter(wanted.messages()))
    return _all_stored(contender, wanted) - begin


def _flood(ground: Ground, contender: Contender, readings: int, name: str, fault: Callable[[], None]) -> Fault:
    wanted = batch(readings, FLOOD_PER_PACK)
    half = threading.Event()
    contender.start()
    try:
        flood = threading.Thread(target=_publish, args=(ground, _marked(wanted, half)))
        flood.start()
        half.wait()
        begin = time.monotonic()
        fault()
        flood.join()
        changed = _settled(contender, wanted)
        have = contender.stored(wanted)
    finally:
        contender.stop()
    return Fault(name, wanted.readings, wanted.readings - have.distinct, have.doubled, round(changed - begin, 1))


def _marked(wanted: Batch, half: threading.Event) -> Iterator[tuple[str, bytes]]:
    middle = wanted.readings // wanted.per_pack // 2
    for number, message in enumerate(wanted.messages()):
        if number == middle:
            half.set()
        yield message


def _publish(ground: Ground, messages: Iterator[tuple[str, bytes]]) -> None:
    publisher = Publisher("127.0.0.1", ground.port)
    publisher.send(messages)
    publisher.close()


def _all_stored(contender: Contender, wanted: Batch) -> float:
    """Return when (monotonic s) everything was stored. Raises TimeoutError when it is not in time, or nothing comes any more."""
    end = time.monotonic() + FINISH_S
    counted, changed, have = time.monotonic(), time.monotonic(), 0
    while time.monotonic() < end:
        if contender.has_all(wanted):
            return time.monotonic()
        if time.monotonic() - counted > LOOK_S:
            counted, before = time.monotonic(), have
            have = contender.stored(wanted).distinct
            changed = counted if have != before else changed
            if counted - changed > 2 * QUIET_S:
                break
        time.sleep(0.05)
    have = contender.stored(wanted).distinct
    raise TimeoutError(f"{have:,} of {wanted.readings:,}, and no more came" if have else f"none of {wanted.readings:,} came")


def _settled(contender: Contender, wanted: Batch) -> float:
    """Return when (monotonic s) the count last changed: everything is stored, or nothing more came for a while."""
    changed = time.monotonic()
    before = None
    while time.monotonic() - changed < QUIET_S:
        try:
            have = contender.stored(wanted)
        except psycopg.Error:
            changed = time.monotonic()
            continue
        if have != before:
            before, changed = have, time.monotonic()
        elif have.distinct >= wanted.readings and time.monotonic() - changed > 5:
            break
        time.sleep(0.5)
    return changed
