"""A weighing indicator on a serial line."""

from collections.abc import Callable, Iterator

from asty_edge.device import Device, DeviceSettings
from asty_edge.drivers.framing import Bad, Decode
from asty_edge.drivers.scale.codec import DIALECTS, NotNow, Weight
from asty_edge.drivers.scale.width import SteadyWidth
from asty_edge.drivers.stream import StreamDevice
from asty_edge.reading import Weighing
from asty_edge.transports.options import Options
from asty_edge.transports.serial_line import take_line

ASK = b"SIR\r\n"
"""MT-SICS: send the weight now, stable or not, and go on sending it."""
ASK_AGAIN_S = 3.0


def open_device(settings: DeviceSettings) -> Device:
    """Check the options and return the scale. Raises DeviceMisconfiguredError."""
    options = Options(settings)
    line = take_line(options, baud=9600, framing="8N1")
    dialect = options.choice("dialect", DIALECTS, "st_gs")
    options.done()
    decode: Decode[Weight | NotNow] = DIALECTS[dialect]
    asks = dialect == "mt_sics"
    return StreamDevice[Weight | NotNow](
        line, decode, lambda: interpreter(settings.name), ask=ASK if asks else b"", ask_again_s=ASK_AGAIN_S if asks else None
    )


def interpreter(device: str) -> Callable[[int, Weight | NotNow], Iterator[Weighing | Bad]]:
    """Return what turns weights into readings."""
    steady = SteadyWidth()

    def interpret(at: int, said: Weight | NotNow) -> Iterator[Weighing | Bad]:
        if isinstance(said, NotNow):
            return
        weight = steady.judge(said)
        yield weight if isinstance(weight, Bad) else Weighing(device, at, weight.kg, weight.stable, weight.net)

    return interpret
