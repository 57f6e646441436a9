"""What the other rooms are given of the roads: legs, and matrices."""

from collections.abc import Sequence

from sqlalchemy import Engine

from asty_cloud_api import database
from asty_cloud_api.roads.errors import NoWayError
from asty_cloud_api.roads.legs import Leg, legs_of
from asty_cloud_api.roads.matrices import Matrices, Progress
from asty_cloud_api.roads.matrix import Matrix
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.store import Store
from asty_cloud_api.roads.valhalla import Ring, Valhalla


class Roads:
    """The town's roads. Every method raises RoadsAwayError while Valhalla is needed and does not answer."""

    def __init__(self, valhalla: Valhalla, engine: Engine) -> None:
        self.valhalla, self._engine = valhalla, engine
        self._matrices = Matrices(valhalla, Store(engine))

    @classmethod
    def at(cls, url: str, dsn: str) -> "Roads":
        """Return the roads of the Valhalla and the database at these addresses; nothing is connected yet."""
        return cls(Valhalla(url), database.writing(dsn))

    async def close(self) -> None:
        await self.valhalla.close()
        self._engine.dispose()

    async def legs(self, profile: Profile, points: Sequence[Place], closed: Sequence[Ring] = (), heading: float | None = None) -> list[Leg]:
        """Return the way through the points, one leg from each to the next.

        Each leg is the way of the matrix: along the kerb of a stop that lies beside its street, and free to turn only where it has no side:
        at a depot, a station, a bin on the centre line. `heading` is where the truck points now (degrees): it is not made to turn
        at once. A leg that closed streets forbid is driven through them, `through_closed`: the truck stands inside, and must get out.
        Raises NoWayError, naming the points, where even that is impossible.
        """
        if len(points) < 2:
            return []
        points = await self._with_sides(profile, points)
        locations = [point.location() for point in points]
        if heading is not None:
            locations[0] |= {"heading": round(heading) % 360, "heading_tolerance": 90}
        try:
            return legs_of(await self.valhalla.route(profile, locations, list(closed)))
        except NoWayError:
            return [await self._leg(profile, points, number, closed) for number in range(len(points) - 1)]

    async def _with_sides(self, profile: Profile, points: Sequence[Place]) -> list[Place]:
        """Give up the side of points whose own side has no way, as the matrix does."""
        located = await self.valhalla.locate(profile, [point.location() for point in points])
        return [point if edges else point.anyway() for point, edges in zip(points, located, strict=True)]

    async def _leg(self, profile: Profile, points: Sequence[Place], number: int, closed: Sequence[Ring]) -> Leg:
        pair = [point.location() for point in points[number : number + 2]]
        try:
            return legs_of(await self.valhalla.route(profile, pair, list(closed)))[0]
        except NoWayError:
            pass
        try:
            return legs_of(await self.valhalla.route(profile, pair, []), through_closed=True)[0]
        except NoWayError as error:
            raise NoWayError(
                f"no way for {profile.key} from point {number} ({points[number].key}) to point {number + 1}: {error}"
            ) from error

    async def matrix(
        self, profile: Profile, places: Sequence[Place], closed: Sequence[Ring] = (), progress: Progress | None = None
    ) -> Matrix:
        """Return travel between the places, in their order; what is kept is not computed again. `progress` is told of pairs done, of all.

        Raises RoadsAwayError when something lacks in the cache and Valhalla does not answer.
        """
        return await self._matrices.matrix(profile, places, closed, progress)
