"""A lift controller over Modbus TCP or RTU."""

from typing import cast

from asty_edge.device import Device, DeviceSettings
from asty_edge.drivers.framing import Bad
from asty_edge.drivers.lift_modbus.codec import MAP, decode
from asty_edge.drivers.registers import PolledDevice, WordOrder
from asty_edge.reading import LiftReading
from asty_edge.transports.modbus import take_server
from asty_edge.transports.options import Options


def open_device(settings: DeviceSettings) -> Device:
    """Check the options and return the lift controller. Raises DeviceMisconfiguredError."""
    options = Options(settings)
    server = take_server(options)
    base = options.whole("base", 0, 0, 65_000)
    order = cast("WordOrder", options.choice("word_order", ("big", "little"), "big"))
    poll_ms = options.whole("poll_ms", 100, 20, 60_000)
    options.done()

    def interpret(at: int, registers: tuple[int, ...], inputs: tuple[bool, ...]) -> LiftReading | Bad:
        return decode(settings.name, at, registers, inputs, order)

    return PolledDevice(server, base, poll_ms, MAP, interpret)
