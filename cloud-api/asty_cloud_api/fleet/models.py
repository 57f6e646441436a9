"""The tables of schema `fleet`. What the sensors said is not here: it is read from the views of schema `telemetry`."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, LargeBinary, MetaData, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "fleet"


class Base(DeclarativeBase):
    metadata = MetaData(schema=SCHEMA)
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True)}  # noqa: RUF012  SQLAlchemy reads it as data


class Vehicle(Base):
    """A truck, or a street gateway, by the edge that it carries.

    `capacity_l` is what its body holds of loose refuse; `streams` a list of what it may collect; `skills` of what its crew can do;
    `shift_start` and `shift_end` are local times "HH:MM", the end on the next day when it is the earlier. Lengths and weight are the
    vehicle's own, for roads with a limit.
    """

    __tablename__ = "vehicle"

    edge: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    plate: Mapped[str | None]
    capacity_kg: Mapped[float | None]
    capacity_l: Mapped[float | None]
    streams: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    height_m: Mapped[float | None]
    width_m: Mapped[float | None]
    weight_t: Mapped[float | None]
    length_m: Mapped[float | None]
    shift_start: Mapped[str | None]
    shift_end: Mapped[str | None]
    skills: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))


class Bin(Base):
    """A bin, by the town's own number; `tag` is its transponder's raw hex digits, and may change when a bin is repaired.

    `must`: it is emptied every day, whatever the forecast says. `windows` are local times [["06:00", "22:00"], …] in which it may be
    emptied, None at any time; `business` whose it is, when it is not the street's.
    """

    __tablename__ = "bin"

    id: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str | None] = mapped_column(unique=True)
    stream: Mapped[str]
    volume_l: Mapped[int]
    lat: Mapped[float]
    lon: Mapped[float]
    street: Mapped[str | None]
    service_s: Mapped[int] = mapped_column(server_default=text("60"))
    must: Mapped[bool] = mapped_column(server_default=text("false"))
    windows: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    business: Mapped[str | None]


class Place(Base):
    """Where trucks start and unload: depot, transfer_station."""

    __tablename__ = "place"

    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    lat: Mapped[float]
    lon: Mapped[float]


class TownLayer(Base):
    """One layer of the map as GeoJSON, gzipped, from the town file with this digest."""

    __tablename__ = "town_layer"

    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    geojson_gz: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[datetime] = mapped_column(server_default=func.now())


class FixedRoute(Base):
    """A bin of one of the town's own fixed routes, for comparison: `weekday` 1 is Monday, `seq` the order of the round."""

    __tablename__ = "fixed_route"
    __table_args__ = (
        {"comment": "As imported, and of no bin or truck that the register did not have then: weekday 1 is Monday (ISO 8601)."},
    )

    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    edge: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    bin: Mapped[str]
