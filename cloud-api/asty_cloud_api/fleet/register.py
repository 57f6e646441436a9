"""The register as a file: `register.json` of the town, or of the simulated town."""

from pathlib import Path
from typing import Annotated

import msgspec
from asty_contracts.ids import is_name, is_tag
from msgspec import Meta, Struct
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_cloud_api.fleet.models import Base, Bin, Place, Vehicle

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Positive = Annotated[float, Meta(gt=0)]
LocalTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM, local")]


class RegisterFileError(Exception):
    """A register file that can't be taken: says the file, the entry and what was expected."""


class VehicleEntry(Struct, frozen=True):
    edge: str
    name: str
    kind: str = "truck"
    plate: str | None = None
    capacity_kg: Positive | None = None
    capacity_l: Positive | None = None
    streams: tuple[str, ...] | None = None
    height_m: Positive | None = None
    width_m: Positive | None = None
    weight_t: Positive | None = None
    length_m: Positive | None = None
    shift_start: LocalTime | None = None
    shift_end: LocalTime | None = None
    skills: tuple[str, ...] | None = None


class BinEntry(Struct, frozen=True):
    id: str
    stream: str
    volume: int
    lat: Latitude
    lon: Longitude
    tag: str | None = None
    street: str | None = None
    service_s: Annotated[int, Meta(ge=0, le=7200)] = 60
    must: bool = False
    windows: tuple[tuple[LocalTime, LocalTime], ...] | None = None
    business: str | None = None


class PlaceEntry(Struct, frozen=True):
    lat: Latitude
    lon: Longitude
    name: str | None = None


class Register(Struct, frozen=True):
    """`town` is the path of the town's OpenStreetMap file; unknown fields are ignored."""

    vehicles: tuple[VehicleEntry, ...]
    bins: tuple[BinEntry, ...]
    depot: PlaceEntry | None = None
    transfer_station: PlaceEntry | None = None
    town: str | None = None


def read(path: Path) -> Register:
    """Read and check a register file. Raises RegisterFileError."""
    try:
        register = msgspec.json.decode(path.read_bytes(), type=Register)
    except OSError as error:
        raise RegisterFileError(f"{path} can't be read: {error.strerror}; nothing was changed") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RegisterFileError(f"{path} is no register: {error}; nothing was changed") from error
    for problem in _problems(register):
        raise RegisterFileError(f"{path}: {problem}; nothing was changed")
    return register


def _problems(register: Register) -> list[str]:
    problems = [f"vehicle {entry.name}: {entry.edge!r} can't name an edge" for entry in register.vehicles if not is_name(entry.edge)]
    problems += [
        f"bin {entry.id}: tag {entry.tag!r}, expected 8 to 32 upper-case hex digits"
        for entry in register.bins
        if entry.tag is not None and not is_tag(entry.tag)
    ]
    problems += _twice("bin", [entry.id for entry in register.bins])
    problems += _twice("tag", [entry.tag for entry in register.bins if entry.tag is not None])
    problems += _twice("edge", [entry.edge for entry in register.vehicles])
    return problems


def _twice(what: str, values: list[str]) -> list[str]:
    seen: set[str] = set()
    return [f"{what} {value} stands twice" for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]


def store(session: Session, register: Register) -> None:
    """Make the tables equal to the register; run twice it changes nothing. What is no longer in the file goes."""
    bins = [_row(entry, volume_l=entry.volume) for entry in register.bins]
    for row in bins:
        del row["volume"]
    places = [
        _row(entry, kind=kind)
        for kind, entry in (("depot", register.depot), ("transfer_station", register.transfer_station))
        if entry is not None
    ]
    session.execute(delete(Bin).where(Bin.id.not_in([entry.id for entry in register.bins])))
    # a tag may move from one bin to another: it is free before it is given
    session.execute(update(Bin).values(tag=None))
    _upsert(session, Bin, bins, "id")
    session.execute(delete(Vehicle).where(Vehicle.edge.not_in([entry.edge for entry in register.vehicles])))
    _upsert(session, Vehicle, [_row(entry) for entry in register.vehicles], "edge")
    session.execute(delete(Place).where(Place.kind.not_in([row["kind"] for row in places])))
    _upsert(session, Place, places, "kind")


def _row(entry: Struct, **more: object) -> dict[str, object]:
    return {**msgspec.structs.asdict(entry), **more}


def _upsert(session: Session, model: type[Base], rows: list[dict[str, object]], key: str) -> None:
    if not rows:
        return
    statement = insert(model)
    columns = {name: statement.excluded[name] for name in rows[0] if name != key}
    session.execute(statement.on_conflict_do_update(index_elements=[key], set_=columns), rows)
