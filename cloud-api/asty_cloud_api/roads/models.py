"""The tables of kept matrices. They hold nothing that Valhalla can't say again."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from asty_cloud_api.fleet.models import Base


class RoadPlace(Base):
    """A place of a profile's matrices: its number is its column in every row; `near` are the edges that it lies on."""

    __tablename__ = "road_place"
    __table_args__ = (UniqueConstraint("tiles", "profile", "key"),)

    tiles: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str]
    near: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class RoadRow(Base):
    """Travel from one place, by the target's number, as little-endian float32: NaN no way, negative not known yet.

    `closed` names the closed areas, empty for open roads.
    """

    __tablename__ = "road_row"

    tiles: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[str] = mapped_column(primary_key=True)
    closed: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seconds: Mapped[bytes] = mapped_column(LargeBinary)
    metres: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[datetime] = mapped_column(server_default=func.now())
