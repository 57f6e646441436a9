"""Numbered records: each carries its edge's running number, in a place of its kind, so that a third party can find it again. Pure."""

from uuid import UUID

from asty_contracts.records import Alarm, Driver, Position, RecordData, Weight

ACT = "drill"
"""`act` of the driver records and `code` of the alarms."""

PLACE = (39.3621, 22.9421)
ALARM_EVERY = 200
TURN = 8
"""Of eight records one is a position, two are weighings, five are a driver's words."""


def numbered(n: int, edge: str, epoch: UUID) -> RecordData:
    """Make record `n`: driver (bin = edge, reason = epoch, note = n), alarm (info = "edge epoch n"), pos (alt = n) or weight (kg = n)."""
    if n % ALARM_EVERY == 0:
        return Alarm(code=ACT, on=True, severity="info", info=f"{edge} {epoch} {n}")
    match n % TURN:
        case 1:
            return Position(lat=PLACE[0], lon=PLACE[1], alt=float(n))
        case 2 | 5:
            return Weight(kg=float(n))
        case _:
            return Driver(act=ACT, bin=edge, reason=str(epoch), note=str(n))


def number_of(data: RecordData) -> int:
    """Return the running number of a record; 0 for one that the agent made of itself."""
    match data:
        case Driver(act="drill", note=str(note)):
            return int(note)
        case Alarm(code="drill", info=info):
            return int(info.rpartition(" ")[2])
        case Position(alt=float(n)) | Weight(kg=float(n)):
            return int(n)
        case _:
            return 0
