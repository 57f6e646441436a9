"""A GNSS receiver on a serial line."""

from asty_edge.device import Device, DeviceSettings
from asty_edge.drivers.nmea.codec import Sentence, decode
from asty_edge.drivers.nmea.epoch import Epoch
from asty_edge.drivers.stream import StreamDevice
from asty_edge.transports.options import Options
from asty_edge.transports.serial_line import take_line


def open_device(settings: DeviceSettings) -> Device:
    """Check the options and return the receiver. Raises DeviceMisconfiguredError."""
    options = Options(settings)
    line = take_line(options, baud=9600, framing="8N1")
    options.done()
    return StreamDevice[Sentence](line, decode, lambda: Epoch(settings.name).take)
