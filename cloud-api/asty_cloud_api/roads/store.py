"""Matrices kept in PostgreSQL: written by rows while they are computed, so that a broken computation goes on where it was."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_cloud_api.roads.models import RoadPlace, RoadRow

Times = NDArray[np.float32]
UNKNOWN = np.float32(-1)
_LOCK = 0x726F616473  # "roads"
KEPT_CLOSINGS = 8
"""So many sets of closed areas are kept per profile; the oldest goes."""


class Store:
    """The kept matrices of one database. Every method is one transaction, and raises SQLAlchemyError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tiles(self) -> str | None:
        """Return the tiles that matrices are kept of; None when there are none."""
        with Session(self._engine) as session:
            return session.scalar(select(RoadPlace.tiles).limit(1))

    def places(self, tiles: str, profile: str) -> dict[str, tuple[int, frozenset[int]]]:
        """Return, by key, each known place's number and the edges that it lies on."""
        with Session(self._engine) as session:
            of = (RoadPlace.tiles == tiles, RoadPlace.profile == profile)
            found = session.execute(select(RoadPlace.key, RoadPlace.number, RoadPlace.near).where(*of))
            return {key: (number, frozenset(near)) for key, number, near in found}

    def add(self, tiles: str, profile: str, near: dict[str, frozenset[int]]) -> None:
        """Number new places. What was kept of other tiles goes: those roads are no more."""
        with Session(self._engine) as session, session.begin():
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            session.execute(delete(RoadRow).where(RoadRow.tiles != tiles))
            session.execute(delete(RoadPlace).where(RoadPlace.tiles != tiles))
            of = (RoadPlace.tiles == tiles, RoadPlace.profile == profile)
            first = session.scalar(select(func.coalesce(func.max(RoadPlace.number) + 1, 0)).where(*of)) or 0
            known = set(session.scalars(select(RoadPlace.key).where(*of)))
            fresh = [(key, edges) for key, edges in near.items() if key not in known]
            session.add_all(
                RoadPlace(tiles=tiles, profile=profile, number=number, key=key, near=sorted(edges))
                for number, (key, edges) in enumerate(fresh, first)
            )

    def load(self, tiles: str, profile: str, closed: str, numbers: Sequence[int]) -> tuple[Times, Times]:
        """Return seconds and metres between the numbered places, UNKNOWN where they are not kept."""
        size = len(numbers)
        seconds, metres = np.full((size, size), UNKNOWN, np.float32), np.full((size, size), UNKNOWN, np.float32)
        if not size:
            return seconds, metres
        columns = np.array(numbers)
        at = {number: row for row, number in enumerate(numbers)}
        with Session(self._engine) as session:
            of = (RoadRow.tiles == tiles, RoadRow.profile == profile, RoadRow.closed == closed, RoadRow.source.in_(numbers))
            for source, kept_seconds, kept_metres in session.execute(select(RoadRow.source, RoadRow.seconds, RoadRow.metres).where(*of)):
                seconds[at[source]] = _unpacked(kept_seconds, int(columns.max()) + 1)[columns]
                metres[at[source]] = _unpacked(kept_metres, int(columns.max()) + 1)[columns]
        return seconds, metres

    def save(
        self, tiles: str, profile: str, closed: str, sources: Sequence[int], targets: Sequence[int], seconds: Times, metres: Times
    ) -> None:
        """Keep a block of pairs; what else is kept of these rows stays."""
        columns = np.array(targets)
        least = int(columns.max()) + 1
        with Session(self._engine) as session, session.begin():
            of = (RoadRow.tiles == tiles, RoadRow.profile == profile, RoadRow.closed == closed)
            kept = {row.source: row for row in session.scalars(select(RoadRow).where(*of, RoadRow.source.in_(sources)).with_for_update())}
            rows = []
            for at, source in enumerate(sources):
                row = kept.get(source)
                whole_seconds, whole_metres = _unpacked(row.seconds if row else b"", least), _unpacked(row.metres if row else b"", least)
                whole_seconds[columns], whole_metres[columns] = seconds[at], metres[at]
                rows.append({"source": source, "seconds": _packed(whole_seconds), "metres": _packed(whole_metres)})
            statement = insert(RoadRow)
            changed = {name: statement.excluded[name] for name in ("seconds", "metres")}
            key = [RoadRow.tiles, RoadRow.profile, RoadRow.closed, RoadRow.source]
            session.execute(
                statement.on_conflict_do_update(index_elements=key, set_=changed),
                [{"tiles": tiles, "profile": profile, "closed": closed, **row} for row in rows],
            )

    def thin(self, tiles: str, profile: str) -> None:
        """Let the oldest sets of closed areas go."""
        with Session(self._engine) as session, session.begin():
            of = (RoadRow.tiles == tiles, RoadRow.profile == profile, RoadRow.closed != "")
            newest = select(RoadRow.closed).where(*of).group_by(RoadRow.closed).order_by(func.max(RoadRow.made).desc())
            old = list(session.scalars(newest.offset(KEPT_CLOSINGS)))
            if old:
                session.execute(delete(RoadRow).where(*of, RoadRow.closed.in_(old)))


def _packed(row: Times) -> bytes:
    return row.astype("<f4").tobytes()


def _unpacked(kept: bytes, least: int) -> Times:
    known = np.frombuffer(kept, "<f4").astype(np.float32)
    return known if len(known) >= least else np.concatenate([known, np.full(least - len(known), UNKNOWN, np.float32)])
