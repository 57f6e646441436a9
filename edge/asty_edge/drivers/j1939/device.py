"""A vehicle's CAN bus. The driver only listens."""

from collections.abc import AsyncIterator

from asty_edge.device import Counters, Device, DeviceSettings
from asty_edge.drivers.framing import Bad, count_bad
from asty_edge.drivers.j1939.codec import SIGNALS, decode
from asty_edge.drivers.j1939.latest import Latest
from asty_edge.reading import Reading
from asty_edge.transports.can_bus import Bus, CanReader, take_bus
from asty_edge.transports.options import Options


def open_device(settings: DeviceSettings) -> Device:
    """Check the options and return the bus. Raises DeviceMisconfiguredError."""
    options = Options(settings)
    bus = take_bus(options)
    tank = options.number("tank", None, 1, 5000)
    options.done()
    return VehicleBus(settings.name, bus, tank)


class VehicleBus:
    """Fuel and engine from a J1939 bus."""

    def __init__(self, name: str, bus: Bus, tank: float | None) -> None:
        self.counters = Counters()
        self._name = name
        self._bus = bus
        self._tank = tank

    async def readings(self) -> AsyncIterator[Reading]:
        """Yield readings until the bus is lost. Raises DeviceLostError or DeviceMisconfiguredError."""
        latest = Latest(self._name, self._tank)
        async with CanReader(self._bus, SIGNALS, self.counters) as reader:
            while True:
                for frame in await reader.read():
                    said = decode(frame.can_id, frame.data)
                    if isinstance(said, Bad):
                        count_bad(self.counters, said)
                    elif said is not None:
                        self.counters.frames += 1
                        for reading in latest.take(frame.at, said):
                            yield reading
