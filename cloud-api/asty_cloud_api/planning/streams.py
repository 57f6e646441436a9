"""Which stream each truck carries: a body holds one stream in a plan, so that what is sorted stays sorted."""

from collections import defaultdict

from asty_cloud_api.planning.model import Day, Stop, Truck


def assign(day: Day) -> dict[str, str]:
    """Give each truck its stream: what is aboard, its only one, or the one with most load per litre of body already given to it.

    Trucks that can carry little else choose first; a stream that only one truck can take goes before volume.
    """
    given: dict[str, str] = {}
    litres: defaultdict[str, float] = defaultdict(float)
    need: defaultdict[str, float] = defaultdict(float)
    for stop in day.stops:
        need[stop.stream] += max(stop.litres, 1.0) if stop.must else max(stop.litres, 1.0) / 2
    for truck in sorted(day.trucks, key=lambda t: (t.aboard is None, len(_open(t, need)), t.id)):
        stream = _choose(truck, need, litres, day.stops)
        given[truck.id] = stream
        litres[stream] += max(truck.litres_max, 1.0)
    return given


def _open(truck: Truck, need: dict[str, float]) -> list[str]:
    if truck.aboard is not None:
        return [truck.aboard]
    return sorted(s for s in truck.streams if need.get(s, 0) > 0) or sorted(truck.streams) or [""]


def _choose(truck: Truck, need: dict[str, float], litres: dict[str, float], stops: tuple[Stop, ...]) -> str:
    """The stream with nobody yet and something this truck alone may hold comes first, then the one with most left per body."""

    def urgency(stream: str) -> tuple[float, str]:
        fits = any(s.stream == stream and s.skills <= truck.skills and s.kg <= truck.kg_max for s in stops)
        return (need.get(stream, 0.0) / (litres.get(stream, 0.0) + 1.0) if fits else 0.0, stream)

    return max(_open(truck, need), key=urgency)
