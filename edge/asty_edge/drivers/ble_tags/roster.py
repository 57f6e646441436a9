"""Which of the configured vests an advertisement comes from. Pure; what it must remember outlives a lost adapter."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from asty_edge.drivers.ble_tags import bthome
from asty_edge.drivers.ble_tags.codec import APPLE, EDDYSTONE, Uid, decode_eddystone, decode_ibeacon
from asty_edge.drivers.framing import Bad
from asty_edge.reading import BeaconHeard
from asty_edge.transports.ble import Advertisement

Kind = Literal["ibeacon", "eddystone", "bthome"]


@dataclass(frozen=True, slots=True)
class VestTag:
    """One configured vest."""

    id: str
    kind: Kind
    key: bytes | None = None


@dataclass(slots=True)
class Roster:
    """Turns advertisements into readings of the configured vests; of strangers nothing is kept or told."""

    device: str
    _known: dict[tuple[Kind, str], VestTag]
    _eddystone_at: dict[str, str] = field(default_factory=dict)
    _counters: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    @classmethod
    def of(cls, device: str, vests: Iterable[VestTag]) -> "Roster":
        """Return the roster of these vests."""
        return cls(device, {(vest.kind, vest.id): vest for vest in vests})

    def hear(self, said: Advertisement) -> BeaconHeard | Bad | None:
        """Return the vest that was heard; None for a stranger, and for an encrypted advertisement heard a second time."""
        if (data := said.manufacturer.get(APPLE)) is not None:
            return self._ibeacon(said, data)
        if (data := said.service.get(EDDYSTONE)) is not None:
            return self._eddystone(said, data)
        if (data := said.service.get(bthome.BTHOME)) is not None:
            return self._bthome(said, data)
        return None

    def _ibeacon(self, said: Advertisement, data: bytes) -> BeaconHeard | Bad | None:
        identity = decode_ibeacon(data)
        if not isinstance(identity, str):
            return identity
        return self._heard(said, identity) if ("ibeacon", identity) in self._known else None

    def _eddystone(self, said: Advertisement, data: bytes) -> BeaconHeard | Bad | None:
        frame = decode_eddystone(data)
        if isinstance(frame, Bad) or frame is None:
            return frame
        if isinstance(frame, Uid):
            if ("eddystone", frame.identity) not in self._known:
                return None
            self._eddystone_at = {at: who for at, who in self._eddystone_at.items() if who != frame.identity}
            self._eddystone_at[said.address] = frame.identity
            return self._heard(said, frame.identity)
        identity = self._eddystone_at.get(said.address)
        return None if identity is None else self._heard(said, identity, battery=frame.battery)

    def _bthome(self, said: Advertisement, data: bytes) -> BeaconHeard | Bad | None:
        if (tag := self._known.get(("bthome", said.address))) is None:
            return None
        vest = bthome.decode(said.address, data, tag.key)
        if isinstance(vest, Bad):
            return vest
        if vest.counter is None:
            return self._heard(said, tag.id, battery=vest.battery, moving=vest.moving)
        last, last_data = self._counters.get(tag.id, (-1, b""))
        if vest.counter == last and data == last_data:
            return None
        if vest.counter <= last:
            return Bad(f"{tag.id} was replayed: counter {vest.counter} after {last}")
        self._counters[tag.id] = (vest.counter, data)
        return self._heard(said, tag.id, battery=vest.battery, moving=vest.moving, authentic=True)

    def _heard(
        self, said: Advertisement, vest: str, *, battery: float | None = None, moving: bool | None = None, authentic: bool | None = None
    ) -> BeaconHeard:
        return BeaconHeard(self.device, said.at, vest, said.rssi, battery, moving, authentic)
