"""A refuse truck's records at the agent's own default rates: 16 hours of two shifts on the road, 8 hours in the yard. Pure."""

from collections.abc import Iterator

from asty_contracts.records import DeviceHealth, Engine, Fuel, Health, Lift, Position, Ppe, RecordData

from asty_edge.event import Event, Moment

DAY_S = 86_400
ROAD_S = 16 * 3600
LIFTS = 400
VESTS = 3
START_MS = 1_795_000_000_000
_LIFT_EVERY_S = ROAD_S // LIFTS
_DEVICES = ("rfid", "scale", "gps", "lift", "can", "vests")


def batches(seconds: int) -> Iterator[list[Event]]:
    """Yield what the agent stores in one commit each: the events of the same 200 ms, for so many seconds of a truck's life."""
    for second in range(seconds):
        now = Moment(second * 1000, START_MS + second * 1000, "gnss")
        # Devices speak at their own moments within the second, so that each kind has a commit of its own.
        for data in (_place(second), _tank(second), _machine(second), _crew(second), _lift(second, now), _health(second)):
            if data:
                yield [Event(now, one) for one in data]


def _place(second: int) -> list[RecordData]:
    on_the_road = second % DAY_S < ROAD_S
    is_a_turn = on_the_road and second % 45 == 2
    if second % (5 if on_the_road else 60) and not is_a_turn:
        return []
    return [Position(39.3621 + second % 997 / 1e5, 22.9421 + second % 991 / 1e5, 6.9 if on_the_road else 0.0, 84.4, 12.6, 14, 0.9)]


def _tank(second: int) -> list[RecordData]:
    return [] if second % 30 else [Fuel(level=61.2, litres=183.6, rate=8.45, total=48_211.5, ignition="yes", pto="no")]


def _machine(second: int) -> list[RecordData]:
    return [] if second % 60 else [Engine(rpm=1190.5, v=6.93, dist=18_221_405.0, hours=9120.35)]


def _crew(second: int) -> list[RecordData]:
    vests = [f"f7826da64fa24e988024bc5b71e0893e/1/{number}" for number in range(VESTS)]
    return [] if second % 60 else [Ppe(vest, "yes", 88.0, START_MS + second * 1000) for vest in vests]


def _lift(second: int, now: Moment) -> list[RecordData]:
    second_of_day = second % DAY_S
    if second_of_day >= ROAD_S or second_of_day % _LIFT_EVERY_S:
        return []
    tag = f"80003DE0{second % (1 << 32):08X}"
    return [
        Lift(
            second // _LIFT_EVERY_S, now.utc - 24_000, now.utc, tag, "fdxb", (), 148.5, 30.5, 118.0, True, 39.36214, 22.94211, "gps", 840,
        )
    ]  # fmt: skip


def _health(second: int) -> list[RecordData]:
    if second % 30:
        return []
    devices = {name: DeviceHealth("up", second, 0, START_MS) for name in _DEVICES}
    return [Health(up=second, head=second, acked=0, held=second, bytes=second * 200, rss=41_000_000, disk=3_000_000_000, devices=devices)]
