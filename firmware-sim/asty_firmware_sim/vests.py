"""Which radio tag each vest carries: its identity follows from the edge and the worker's number."""

from dataclasses import dataclass
from uuid import UUID
from zlib import crc32

from asty_firmware_sim.scenario import Tag

TOWN_UUID = UUID("7e0a57a5-1a57-4e57-9a11-a57e11c0ffee")
TOWN_NAMESPACE = "a57e0d1a57e0d1a57e0d"


@dataclass(frozen=True, slots=True)
class VestTag:
    """One vest's tag: `kind` as the edge's ble_tags driver names it, `key` hex for an encrypted one."""

    kind: str
    identity: str
    key: str | None = None

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor of an iBeacon."""
        _, major, minor = self.identity.split("/")
        return int(major), int(minor)

    @property
    def instance(self) -> str:
        """Instance of an Eddystone, 12 hex digits."""
        return self.identity.split("/")[1]


def vest_tag(tag: Tag, edge: str, worker: int) -> VestTag:
    """Return the tag that a worker of an edge wears."""
    number = crc32(edge.encode()) & 0xFFFF
    if tag == "ibeacon":
        return VestTag("ibeacon", f"{TOWN_UUID}/{number}/{worker + 1}")
    if tag == "eddystone":
        return VestTag("eddystone", f"{TOWN_NAMESPACE}/{number:08x}{worker + 1:04x}")
    mac = f"C0:57:{number >> 8:02X}:{number & 0xFF:02X}:00:{worker + 1:02X}"
    key = f"{crc32(mac.encode()):08x}{crc32(edge.encode()):08x}" * 2 if tag == "bthome" else None
    return VestTag("bthome", mac, key)


def vest_id(tag: Tag, edge: str, worker: int) -> str:
    """Return the identity under which the edge knows it."""
    return vest_tag(tag, edge, worker).identity
