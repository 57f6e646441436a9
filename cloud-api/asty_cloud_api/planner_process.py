"""The composition root of `asty-cloud-api planner`: the planner joined to the town's roads, its database and Kafka."""

import asyncio
import logging
import signal
from collections.abc import Sequence

from asty_process.environment import SettingsError

from asty_cloud_api import database
from asty_cloud_api.dispatch.inbox import Inbox, Outbox
from asty_cloud_api.dispatch.known import Measures, Point, Polygon
from asty_cloud_api.dispatch.planner import Habits, Planner
from asty_cloud_api.dispatch.sheet import NO_WAY
from asty_cloud_api.dispatch.ways import Leg, WaysAwayError
from asty_cloud_api.dispatch.work import Work
from asty_cloud_api.planning.model import Roads as PlanningRoads
from asty_cloud_api.roads.closed import BadAreaError, ring_of
from asty_cloud_api.roads.errors import NoWayError, RoadsAwayError, RoadsRefusedError
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.service import Roads
from asty_cloud_api.roads.valhalla import Ring
from asty_cloud_api.settings import Settings

log = logging.getLogger(__name__)


class TownWays:
    """The planner's ways over the town's roads."""

    def __init__(self, roads: Roads) -> None:
        self._roads = roads

    async def matrix(self, truck: Measures, places: Sequence[Point], closed: Sequence[Polygon]) -> PlanningRoads:
        """Travel between all places, NaN where there is no way. Raises WaysAwayError."""
        try:
            found = await self._roads.matrix(_profile(truck), [Place(*point) for point in places], _rings(closed))
        except (RoadsAwayError, RoadsRefusedError) as error:
            raise WaysAwayError(str(error)) from error
        return found.as_planning()

    async def legs(self, truck: Measures, points: Sequence[Point], closed: Sequence[Polygon]) -> list[Leg]:
        """The ways from each point to the next; where there is none, a leg without a shape. Raises WaysAwayError."""
        places = [Place(*point) for point in points]
        try:
            try:
                found = await self._roads.legs(_profile(truck), places, _rings(closed))
            except NoWayError as error:
                log.warning("event=no_way why=%r do=%r", str(error), "that leg goes out without directions")
                return [await self._leg(truck, places[n : n + 2], closed) for n in range(len(places) - 1)]
        except (RoadsAwayError, RoadsRefusedError) as error:
            raise WaysAwayError(str(error)) from error
        return [leg.as_json(0) for leg in found]

    async def _leg(self, truck: Measures, pair: Sequence[Place], closed: Sequence[Polygon]) -> Leg:
        try:
            (leg,) = await self._roads.legs(_profile(truck), pair, _rings(closed))
        except NoWayError:
            return NO_WAY
        return leg.as_json(0)


def run(settings: Settings) -> None:
    """Plan until SIGTERM. Raises SettingsError when the roads are not set."""
    if settings.valhalla_url is None:
        raise SettingsError("ASTY_VALHALLA_URL is missing: the planner needs the roads; expected an address such as http://127.0.0.1:8002")
    asyncio.run(_work(settings, settings.valhalla_url))


async def _work(settings: Settings, url: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    engine = database.changing(settings.dsn)
    roads = Roads.at(url, settings.dsn)
    chosen = settings.planner
    planner = Planner(engine, TownWays(roads), settings.zone, Habits(chosen.mode, chosen.at, chosen.seconds))
    inbox = Inbox(settings.kafka, f"asty-planner-{settings.org}") if settings.kafka else None
    outbox = Outbox(settings.kafka) if settings.kafka else None
    log.info("event=planner_starts mode=%s plan_at=%s kafka=%s roads=%s", chosen.mode, chosen.at, settings.kafka or "none", url)
    try:
        await Work(settings.dsn, engine, planner, inbox, outbox).run(stop)
    finally:
        await roads.close()
        await engine.dispose()


def _profile(truck: Measures) -> Profile:
    return Profile.of(truck.weight_t, truck.height_m, truck.width_m, truck.length_m)


def _rings(closed: Sequence[Polygon]) -> list[Ring]:
    rings: list[Ring] = []
    for area in closed:
        try:
            rings.append(ring_of(area))
        except BadAreaError as error:
            log.warning("event=closure_not_understood why=%r do=%r", str(error), "it is passed over; draw it again")
    return rings
