"""Modbus maps: words of several registers, and a device that is polled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

from asty_edge.clock import mono_ms
from asty_edge.device import Counters, DeviceLostError, DeviceMisconfiguredError
from asty_edge.drivers.framing import Bad, count_bad
from asty_edge.reading import Reading
from asty_edge.transports.modbus import ModbusLink, Server

NOT_AVAILABLE = 0xFFFF
"""What a register holds when the controller has no value for it."""

WordOrder = Literal["big", "little"]


def u32(first: int, second: int, order: WordOrder) -> int | None:
    """Join two registers; None when both say "not available"."""
    if first == second == NOT_AVAILABLE:
        return None
    return first << 16 | second if order == "big" else second << 16 | first


def s16(register: int) -> int:
    """Read a register as a signed number."""
    return register - 0x10000 if register & 0x8000 else register


@dataclass(frozen=True, slots=True)
class Map:
    """Which registers are read in a poll; the first two hold `magic` and `version`."""

    title: str
    magic: int
    version: int
    holding: int
    discrete: int = 0


class PolledDevice:
    """Reads a map every `poll_ms` and yields what `interpret(at, registers, inputs)` makes of it."""

    def __init__(
        self,
        server: Server,
        base: int,
        poll_ms: int,
        registers: Map,
        interpret: Callable[[int, tuple[int, ...], tuple[bool, ...]], Reading | Bad],
    ) -> None:
        self.counters = Counters()
        self._server = server
        self._base = base
        self._poll_ms = poll_ms
        self._map = registers
        self._interpret = interpret

    async def readings(self) -> AsyncIterator[Reading]:
        """Yield a reading per poll. Raises DeviceLostError, or DeviceMisconfiguredError when another device answers."""
        async with ModbusLink(self._server) as link:
            known = False
            due = mono_ms()
            while True:
                registers = await link.holding(self._base, self._map.holding)
                inputs = await link.discrete(self._base, self._map.discrete) if self._map.discrete else ()
                at = mono_ms()
                self._recognise(registers, known=known)
                known = True
                meant = self._interpret(at, registers, inputs)
                if isinstance(meant, Bad):
                    count_bad(self.counters, meant)
                else:
                    self.counters.frames += 1
                    yield meant
                due = max(due + self._poll_ms, mono_ms())
                await asyncio.sleep((due - mono_ms()) / 1000)

    def _recognise(self, registers: tuple[int, ...], *, known: bool) -> None:
        magic, version = registers[:2]
        if (magic, version) == (self._map.magic, self._map.version):
            return
        who = f"{self._server} is no {self._map.title}"
        what = f"magic {magic:#06x} and version {version} at holding register {self._base}"
        if known:
            raise DeviceLostError(f"{who} any more: {what}; it may be starting")
        raise DeviceMisconfiguredError(
            f"{who}: {what}, expected {self._map.magic:#06x} and {self._map.version}: check base, device_id and address"
        )
