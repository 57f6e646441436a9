"""A 125 kHz reader on a serial line."""

from collections.abc import Callable, Iterator

from asty_edge.device import Device, DeviceSettings
from asty_edge.drivers.repeats import Repeats
from asty_edge.drivers.rfid_em4100.codec import Tag, decode
from asty_edge.drivers.stream import StreamDevice
from asty_edge.reading import TagRead
from asty_edge.transports.options import Options
from asty_edge.transports.serial_line import take_line


def open_device(settings: DeviceSettings) -> Device:
    """Check the options and return the reader. Raises DeviceMisconfiguredError."""
    options = Options(settings)
    line = take_line(options, baud=9600, framing="8N1")
    options.done()
    return StreamDevice(line, decode, lambda: interpreter(settings.name))


def interpreter(device: str) -> Callable[[int, Tag], Iterator[TagRead]]:
    """Return what turns tags into readings, each tag once in two seconds."""
    repeats = Repeats()

    def interpret(at: int, tag: Tag) -> Iterator[TagRead]:
        if repeats.is_new(tag.identity, at):
            yield TagRead(device, at, tag.identity, "em4100")

    return interpret
