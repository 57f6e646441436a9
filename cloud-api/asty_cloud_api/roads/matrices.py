"""Matrices from the cache, with what lacks computed: new places, and the pairs that a closure touches."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from asty_cloud_api.roads import blocks, closed
from asty_cloud_api.roads.affected import affected
from asty_cloud_api.roads.errors import RoadsAwayError
from asty_cloud_api.roads.matrix import Matrix, Unreachable, explain
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.store import Store
from asty_cloud_api.roads.valhalla import Ring, Valhalla

Progress = Callable[[int, int], None]
Times = NDArray[np.float32]
Pairs = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Book:
    """Some places of one profile as the store knows them: their numbers and the edges that each lies on, in order.

    `meant` names, by the key of each place that was asked for, the one that stands for it here: without a side where its own side has no
    way, as left of a one-way street.
    """

    tiles: str
    profile: Profile
    places: tuple[Place, ...]
    numbers: tuple[int, ...]
    near: tuple[frozenset[int], ...]
    meant: dict[str, str]


class Matrices:
    """The one place that asks Valhalla for matrices. One computation of a profile at a time in this process."""

    def __init__(self, valhalla: Valhalla, store: Store) -> None:
        self._valhalla, self._store = valhalla, store
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def matrix(self, profile: Profile, places: Sequence[Place], rings: Sequence[Ring], progress: Progress | None) -> Matrix:
        """Return travel between the places, in their order, with these areas closed.

        While Valhalla is away, what is kept still comes. Raises RoadsAwayError when something lacks then.
        """
        async with self._turns[profile.key]:
            book = await self._open(profile, places)
            seconds, metres = await self._filled(book, "", [], _drivable(book), progress)
            unreachable = {at: Unreachable("no_street") for at, near in enumerate(book.near) if not near}
            if rings:
                seconds, metres, shut = await self._closing(book, list(rings), seconds, metres, progress)
                unreachable |= {at: Unreachable("closed", closed=True) for at in shut if at not in unreachable}
                await asyncio.to_thread(self._store.thin, book.tiles, profile.key)
        at = {place.key: number for number, place in enumerate(book.places)}
        order = np.array([at[book.meant[place.key]] for place in places], np.intp)
        part = np.ix_(order, order)
        found = explain(seconds, unreachable, closed=bool(rings))
        return Matrix(seconds[part], metres[part], {number: found[int(where)] for number, where in enumerate(order) if int(where) in found})

    async def _open(self, profile: Profile, places: Sequence[Place]) -> Book:
        """Return the places, each once, with their numbers; those that are new are located and numbered."""
        distinct = tuple({place.key: place for place in places}.values())
        try:
            tiles, away = await self._valhalla.tiles(), None
        except RoadsAwayError as error:
            kept, away = await asyncio.to_thread(self._store.tiles), error
            if kept is None:
                raise
            tiles = kept
        known = await asyncio.to_thread(self._store.places, tiles, profile.key)
        fresh = [place for place in distinct if place.key not in known]
        if fresh:
            if away is not None:
                raise RoadsAwayError(f"{away}; {len(fresh)} of {len(distinct)} places are new and not in the kept matrix")
            located = await self._valhalla.locate(profile, [place.location() for place in fresh])
            near = {place.key: _numbers(edges) for place, edges in zip(fresh, located, strict=True)}
            other = [
                place.anyway()
                for place in fresh
                if not near[place.key] and place.anyway().key not in known and place.anyway().key not in near
            ]
            for place, edges in zip(other, await self._valhalla.locate(profile, [place.location() for place in other]), strict=True):
                near[place.key] = _numbers(edges)
            await asyncio.to_thread(self._store.add, tiles, profile.key, near)
            known = await asyncio.to_thread(self._store.places, tiles, profile.key)
        stands = {place.key: place if known[place.key][1] else place.anyway() for place in distinct}
        here = {place.key: place for place in stands.values()}
        entries = [known[key] for key in here]
        numbers, lies_on = tuple(number for number, _ in entries), tuple(near for _, near in entries)
        return Book(tiles, profile, tuple(here.values()), numbers, lies_on, {key: place.key for key, place in stands.items()})

    async def _closing(
        self, book: Book, rings: list[Ring], seconds: Times, metres: Times, progress: Progress | None
    ) -> tuple[Times, Times, list[int]]:
        """Return the times with closed areas, and the places that lie in one. Only pairs that a closed edge touches are computed."""
        name = hashlib.blake2b(msgspec.json.encode(sorted(rings)), digest_size=12).hexdigest()
        kept_seconds, kept_metres = await asyncio.to_thread(self._store.load, book.tiles, book.profile.key, name, book.numbers)
        unknown = kept_seconds < 0
        if unknown.any():
            shut, touched = await self._touched(book, rings, seconds)
            same = unknown & ~touched
            same[shut] = same[:, shut] = False
            kept_seconds[same], kept_metres[same] = seconds[same], metres[same]
            lost = unknown.copy()
            lost[np.ix_(~shut, ~shut)] = False
            kept_seconds[lost] = kept_metres[lost] = np.nan
            await asyncio.to_thread(
                self._store.save, book.tiles, book.profile.key, name, book.numbers, book.numbers, kept_seconds, kept_metres
            )
            wanted = unknown & touched
            wanted[shut] = wanted[:, shut] = False
            kept_seconds, kept_metres = await self._filled(book, name, rings, wanted, progress)
        gone = np.isnan(np.diagonal(kept_seconds)) & ~np.isnan(np.diagonal(seconds))
        return kept_seconds, kept_metres, [int(at) for at in np.flatnonzero(gone)]

    async def _touched(self, book: Book, rings: list[Ring], seconds: Times) -> tuple[NDArray[np.bool_], Pairs]:
        """Return which places lie wholly on closed edges, and which pairs the closed edges may change."""
        edges: dict[int, closed.ClosedEdge] = {}
        for ring in rings:
            edges |= closed.edges(ring, await self._valhalla.locate(book.profile, closed.grid(ring)))
        shut = np.array([bool(near) and near <= edges.keys() for near in book.near])
        partly = np.array([bool(near & edges.keys()) for near in book.near])
        touched = partly[:, None] | partly[None]
        if edges:
            here, there = [place.location() for place in book.places], [edge.location() for edge in edges.values()]
            drivable = [at for at, near in enumerate(book.near) if near]
            to, back = np.full((len(here), len(there)), np.nan, np.float32), np.full((len(there), len(here)), np.nan, np.float32)
            located = [here[at] for at in drivable]
            to[drivable], _ = await self._valhalla.matrix(book.profile, located, there, [])
            back[:, drivable], _ = await self._valhalla.matrix(book.profile, there, located, [])
            touched |= await asyncio.to_thread(affected, seconds, to, back)
        return shut, touched

    async def _filled(self, book: Book, name: str, rings: list[Ring], may: Pairs, progress: Progress | None) -> tuple[Times, Times]:
        """Return the kept times, after those of the pairs that `may` be asked and are not kept have been computed and kept."""
        seconds, metres = await asyncio.to_thread(self._store.load, book.tiles, book.profile.key, name, book.numbers)
        wanted = (seconds < 0) & may
        seconds[~may & (seconds < 0)] = metres[~may & (metres < 0)] = np.nan
        total, done = int(wanted.sum()), 0
        locations = [place.location() for place in book.places]
        for block in blocks.plan(wanted):
            here, there = [locations[at] for at in block.sources], [locations[at] for at in block.targets]
            part = np.ix_(block.sources, block.targets)
            seconds[part], metres[part] = await self._valhalla.matrix(book.profile, here, there, rings)
            sources, targets = [book.numbers[at] for at in block.sources], [book.numbers[at] for at in block.targets]
            await asyncio.to_thread(self._store.save, book.tiles, book.profile.key, name, sources, targets, seconds[part], metres[part])
            done += int(wanted[part].sum())
            if progress is not None:
                progress(done, total)
        return seconds, metres


def _numbers(edges: list[dict[str, Any]]) -> frozenset[int]:
    return frozenset(closed.number(edge) for edge in edges)


def _drivable(book: Book) -> Pairs:
    """Return the pairs of which both places lie at a street; the others have no way, and Valhalla would refuse all for their sake."""
    has_street = np.array([bool(near) for near in book.near])
    pairs: Pairs = has_street[:, None] & has_street[None]
    return pairs
