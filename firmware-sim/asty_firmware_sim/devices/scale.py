"""A weighing indicator on a serial line, in the three dialects that are common on refuse trucks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asty_firmware_sim.devices.serial_port import SerialPort

Dialect = Literal["st_gs", "toledo", "mt_sics"]
LONGEST_COMMAND = 64
"""An indicator forgets a command that is longer, so that noise can't fill its memory."""


@dataclass(frozen=True, slots=True)
class Load:
    """What lies on the scale: kg, None when it is over the scale's range."""

    kg: float | None
    stable: bool


def st_gs_frame(load: Load) -> bytes:
    """Encode `ST,GS,+  12.50kg`; over its range the scale says OL beside its largest number."""
    state = "OL" if load.kg is None else "ST" if load.stable else "US"
    kg = 9999.99 if load.kg is None else _rounded(load.kg)
    return f"{state},GS,{'-' if kg < 0 else '+'}{abs(kg):7.2f}kg\r\n".encode()


def toledo_frame(load: Load) -> bytes:
    """Encode Toledo continuous, 18 bytes, in steps of 0.1 kg; the check is the low 7 bits of minus the sum of all before it."""
    tenths = 0 if load.kg is None else round(load.kg * 10)
    word_a = 0b0101011  # one decimal, steps of 1, bit 5 always set
    word_b = 0b0110000 | (tenths < 0) << 1 | (load.kg is None) << 2 | (not load.stable) << 3  # gross, kg, bit 5 always set
    frame = bytes((0x02, word_a, word_b, 0b0100000)) + f"{abs(tenths):06d}000000\r".encode()
    return frame + bytes((-sum(frame) & 0x7F,))


def mt_sics_weight(load: Load) -> bytes:
    """Encode the answer to SI: `S S     100.00 kg`, dynamic `S D`, overload `S +`."""
    if load.kg is None:
        return b"S +\r\n"
    return f"S {'S' if load.stable else 'D'} {_rounded(load.kg):10.2f} kg\r\n".encode()


class Indicator(SerialPort):
    """An indicator, 9600 8N1. ST,GS and Toledo speak at each `emit()`; MT-SICS answers, and speaks so only after SIR."""

    def __init__(self, link: Path, dialect: Dialect = "st_gs") -> None:
        super().__init__(link)
        self.dialect = dialect
        self._load = Load(0.0, stable=True)
        self._repeating = False
        self._stable_wanted = False
        self._command = b""
        if dialect == "mt_sics":
            self.on_data = self._hear

    def weigh(self, kg: float | None, stable: bool) -> None:
        """Put a load on the scale: kg, None for more than it can weigh."""
        self._load = Load(kg, stable)
        if self._stable_wanted and (stable or kg is None):
            self._stable_wanted = False
            self.write(mt_sics_weight(self._load))

    def emit(self) -> None:
        """Send one frame, if this dialect sends unasked or was told to repeat."""
        match self.dialect:
            case "st_gs":
                self.write(st_gs_frame(self._load))
            case "toledo":
                self.write(toledo_frame(self._load))
            case "mt_sics":
                if self._repeating:
                    self.write(mt_sics_weight(self._load))

    def _hear(self, data: bytes) -> None:
        *commands, self._command = (self._command + data).split(b"\n")
        if len(self._command) > LONGEST_COMMAND:
            self._command = b""
        for command in commands:
            self._obey(command.strip())

    def _obey(self, command: bytes) -> None:
        """Answer one MT-SICS command; S waits until the load is stable, and any later command takes its place."""
        self._stable_wanted = False
        match command:
            case b"S":
                self._repeating = False
                if self._load.stable or self._load.kg is None:
                    self.write(mt_sics_weight(self._load))
                else:
                    self._stable_wanted = True
            case b"SI" | b"SIR":
                self._repeating = command == b"SIR"
                self.write(mt_sics_weight(self._load))
            case b"@":
                self._repeating = False
                self.write(b'I4 A "ASTY-0001"\r\n')
            case _:
                self.write(b"ES\r\n")


def _rounded(kg: float) -> float:
    """Round to 10 g, and never to minus zero."""
    return round(kg, 2) + 0.0
