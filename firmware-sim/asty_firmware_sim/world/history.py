"""Town time in a few seconds: the records that an ideal edge would make of one truck's hours."""

from collections.abc import Iterator

from asty_contracts.evidence import chained
from asty_contracts.records import Engine, Fuel, Lift, Position, Ppe, RecordData
from asty_town import Town

from asty_firmware_sim.scenario import EM4100, Scenario, load
from asty_firmware_sim.vests import vest_id
from asty_firmware_sim.world.lift import DIVISION
from asty_firmware_sim.world.senses import LiftTruth, TruckSenses
from asty_firmware_sim.world.world import World

_TICK = 1000
_POSITION, _STANDING, _FUEL, _ENGINE, _PPE = 5, 60, 30, 60, 60  # s


def history(
    town: Town, seed: int, edge: str, start: int, hours: float, *, scenario: Scenario | None = None
) -> Iterator[tuple[int, RecordData]]:
    """Yield (UTC ms, record data) in time order for one truck of a scenario (the demo's, without its faults).

    Positions each 5 s while it moves, lifts with tag and weights as one hash chain, fuel each 30 s, engine and vests each minute.
    """
    scenario = scenario or load("demo")
    spec = next((truck for truck in scenario.truck if truck.edge == edge), None)
    if spec is None:
        raise ValueError(f"{edge!r} is none of the trucks {', '.join(truck.edge for truck in scenario.truck)}")
    world = World(town, _without_faults(scenario), seed, start, only={edge}, tick_ms=_TICK)
    std = "em4100" if spec.rfid in EM4100 else "fdxb"
    prev, stood = "", False
    for second in range(1, int(hours * 3600) + 1):
        now = start + second * _TICK
        truths = [event for event in world.advance(now) if isinstance(event, LiftTruth)]
        senses = world.truck(edge)
        standing = senses.v < 0.3
        if second % (_STANDING if standing and stood else _POSITION) == 0:
            yield now, _position(senses)
        stood = standing
        for truth in truths:
            lift = chained(_lift(truth, std), prev)
            prev = lift.hash
            yield now, lift
        if second % _FUEL == 0:
            yield now, _fuel(senses, spec.tank)
        if second % _ENGINE == 0 and senses.ignition:
            yield now, Engine(rpm=round(senses.rpm), v=round(senses.v, 2), dist=round(senses.dist), hours=round(senses.hours, 2))
        if second % _PPE == 0:
            for k, vest in enumerate(senses.vests):
                yield (
                    now,
                    Ppe(vest_id(spec.vests[k], edge, k), "yes" if vest.worn else "no", round(vest.battery), now if vest.heard else None),
                )


def _without_faults(scenario: Scenario) -> Scenario:
    return Scenario(name=scenario.name, truck=scenario.truck, gateway=(), bins=scenario.bins, tagless_bins=scenario.tagless_bins)


def _position(senses: TruckSenses) -> Position:
    return Position(
        lat=round(senses.lat, 7), lon=round(senses.lon, 7), v=round(senses.v, 2), course=round(senses.course, 1), alt=4.0, sats=11, hdop=0.8
    )


def _lift(truth: LiftTruth, std: str) -> Lift:
    return Lift(
        cycle=truth.cycle,
        started=truth.started,
        ended=truth.ended,
        tag=truth.read,
        std=std if truth.read else None,
        gross=truth.gross,
        tare=truth.tare,
        net=round((truth.gross - truth.tare) / DIVISION) * DIVISION,
        stable=True,
        lat=truth.lat,
        lon=truth.lon,
        fix="gps",
        fix_age=0,
        flags=() if truth.read else ("no_tag",),
    )


def _fuel(senses: TruckSenses, tank: float) -> Fuel:
    return Fuel(
        level=round(senses.level, 1),
        litres=round(senses.level * tank / 100, 1),
        rate=round(senses.rate, 1),
        total=round(senses.total, 1),
        ignition="yes" if senses.ignition else "no",
        pto="yes" if senses.pto else "no",
    )
