"""A fuel probe over Modbus TCP or RTU."""

from asty_edge.device import Device, DeviceSettings
from asty_edge.drivers.framing import Bad
from asty_edge.drivers.fuel_modbus.codec import MAP, decode
from asty_edge.drivers.registers import PolledDevice
from asty_edge.drivers.tank import litres
from asty_edge.reading import FuelReading
from asty_edge.transports.modbus import take_server
from asty_edge.transports.options import Options


def open_device(settings: DeviceSettings) -> Device:
    """Check the options and return the fuel probe. Raises DeviceMisconfiguredError."""
    options = Options(settings)
    server = take_server(options)
    base = options.whole("base", 0, 0, 65_000)
    poll_ms = options.whole("poll_ms", 1000, 20, 600_000)
    tank = options.number("tank", None, 1, 5000)
    options.done()

    def interpret(at: int, registers: tuple[int, ...], _inputs: tuple[bool, ...]) -> FuelReading | Bad:
        found = decode(registers)
        if isinstance(found, Bad):
            return found
        return FuelReading(settings.name, at, level=found.level, litres=litres(tank, found.level), src="modbus")

    return PolledDevice(server, base, poll_ms, MAP, interpret)
