"""Where messages travel: MQTT topics `asty/1/{org}/{edge}/up|dn/{leaf}` and Kafka topics."""

from dataclasses import dataclass
from enum import StrEnum

from asty_contracts import CONTRACT_VERSION
from asty_contracts.ids import is_name

ROOT = "asty"


class Up(StrEnum):
    """What an edge sends."""

    BIRTH = "birth"
    STATE = "state"
    RECORDS = "rec"
    RESPONSE = "res"


class Down(StrEnum):
    """What an edge is sent."""

    ACK = "ack"
    COMMAND = "cmd"
    ROUTE = "route"


@dataclass(frozen=True, slots=True)
class EdgeTopic:
    """One parsed topic of one edge."""

    org: str
    edge: str
    leaf: Up | Down

    def __str__(self) -> str:
        lane = "up" if isinstance(self.leaf, Up) else "dn"
        return f"{ROOT}/{CONTRACT_VERSION}/{self.org}/{self.edge}/{lane}/{self.leaf.value}"


def parse(topic: str) -> EdgeTopic | None:
    """Read a topic; None when it is not one of ours, is of another version or names an impossible edge."""
    levels = topic.split("/")
    if len(levels) != 6 or levels[0] != ROOT or levels[1] != str(CONTRACT_VERSION):
        return None
    _, _, org, edge, lane, leaf = levels
    if lane not in ("up", "dn") or not is_name(org) or not is_name(edge):
        return None
    try:
        return EdgeTopic(org, edge, Up(leaf) if lane == "up" else Down(leaf))
    except ValueError:
        return None


def all_up(leaf: Up, *, org: str = "+") -> str:
    """Name the subscription to one leaf of every edge."""
    return f"{ROOT}/{CONTRACT_VERSION}/{org}/+/up/{leaf.value}"


@dataclass(frozen=True, slots=True)
class KafkaTopic:
    """A topic with its fixed partition count; the count is part of the contract, since a key's order depends on it."""

    name: str
    partitions: int


URGENT = KafkaTopic("telemetry-urgent.v1", 1)  # key = a group of edges; live packs that hold an alarm, before which nothing queues
TELEMETRY = KafkaTopic("telemetry.v1", 4)  # key = a group of edges; the other packs of the live lane
BACKLOG = KafkaTopic("telemetry-backlog.v1", 4)  # key = a group of edges; packs with h = true, so that live packs never queue behind them
EDGE_LIFE = KafkaTopic("edge-life.v1", 1)  # key = edge; births and states
REFUSED = KafkaTopic("refused.v1", 1)  # key = edge, or empty; what ingest refused, with the reason
ALERTS = KafkaTopic("alerts.v1", 1)  # key = edge
PLAN_TRIGGERS = KafkaTopic("plan-triggers.v1", 1)  # key = bin tag or edge
TOWN_EVENTS = KafkaTopic("town-events.v1", 1)  # key = the subject's id

KAFKA_TOPICS = (URGENT, TELEMETRY, BACKLOG, EDGE_LIFE, REFUSED, ALERTS, PLAN_TRIGGERS, TOWN_EVENTS)
