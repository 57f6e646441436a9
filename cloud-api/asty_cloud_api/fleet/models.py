"""The tables of schema `fleet`. What the sensors said is not here: it is read from the views of schema `telemetry`."""

from datetime import datetime

from sqlalchemy import DateTime, LargeBinary, MetaData, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "fleet"


class Base(DeclarativeBase):
    metadata = MetaData(schema=SCHEMA)
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True)}  # noqa: RUF012  SQLAlchemy reads it as data


class Vehicle(Base):
    """A truck, or a street gateway, by the edge that it carries."""

    __tablename__ = "vehicle"

    edge: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    plate: Mapped[str | None]
    capacity_kg: Mapped[float | None]


class Bin(Base):
    """A bin, by the town's own number; `tag` is its transponder's raw hex digits, and may change when a bin is repaired."""

    __tablename__ = "bin"

    id: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str | None] = mapped_column(unique=True)
    stream: Mapped[str]
    volume_l: Mapped[int]
    lat: Mapped[float]
    lon: Mapped[float]
    street: Mapped[str | None]


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
