"""Does one fault, and undoes it: signals, files, the network's weather, what the virtual edges are told."""

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil
from msgspec.structs import replace

from asty_appliance.drill import outboxes
from asty_appliance.drill.outboxes import Destroyed, Flip
from asty_appliance.drill.proxy import Proxy, Weather
from asty_appliance.drill.replay import Replayer
from asty_appliance.drill.schedule import DAY_S, Step
from asty_appliance.program import Program
from asty_appliance.supervision import Supervision

Say = Callable[[str], None]

_WEATHER = {
    "network-cut": Weather.CUT,
    "network-loss": Weather.LOSSY,
    "network-silent": Weather.SILENT,
    "lost-acks": Weather.DEAF,
    "outbox-deleted": Weather.CUT,  # so that something is in it
    "bit-flipped": Weather.CUT,
}
_ORDERLY = {"postgres": signal.SIGINT}
START_WITHIN_S = 60.0


class Faults:
    """The hands of a drill. `runner_of` tells in which program an edge lives."""

    def __init__(
        self,
        supervision: Supervision,
        programs: Sequence[Program],
        fleet: Path,
        broker_data: Path,
        runner_of: dict[str, str],
        proxy: Proxy,
        replayer: Replayer,
        say: Say,
    ) -> None:
        self._supervision = supervision
        self._programs = {program.name: program for program in programs}
        self._fleet = fleet
        self._broker_data = broker_data
        self._runner_of = runner_of
        self._proxy = proxy
        self._replayer = replayer
        self._say = say
        self._frozen: list[int] = []
        self._controls: dict[str, object] = {"produce": True}
        self.destroyed: list[Destroyed] = []
        self.flips: list[Flip] = []
        self._tell_edges()

    def begin(self, step: Step) -> None:
        """Do it."""
        match step.kind:
            case "kill":
                self._signal(step.target, signal.SIGKILL)
            case "restart":
                self._signal(step.target, _ORDERLY.get(step.target, signal.SIGTERM))
            case "freeze":
                self._freeze(step.target)
            case "broker-wipe":
                self._supervision.stop(["mqtt"])
                (self._broker_data / "mosquitto.db").unlink(missing_ok=True)
            case "database-stop":
                self._supervision.stop(["postgres"])
            case "replay":
                self._say(f"  {self._replayer.replay()} packs were published again")
            case "clock":
                self._tell_edges(clock_offset_s=DAY_S if step.target == "1 day ahead" else -DAY_S)
            case "disk-full":
                self._tell_edges(disk_full=[step.target])
            case kind:
                self._proxy.set(_WEATHER[kind])

    def end(self, step: Step) -> None:
        """Undo it."""
        match step.kind:
            case "freeze":
                self._thaw()
            case "broker-wipe":
                self._start("mqtt")
            case "database-stop":
                self._start("postgres")
            case "clock":
                self._tell_edges(clock_offset_s=0)
            case "disk-full":
                self._tell_edges(disk_full=[])
            case "outbox-deleted" | "bit-flipped":
                self._spoil(step)
                self._proxy.set(Weather.CLEAR)
            case kind if kind in _WEATHER:
                self._proxy.set(Weather.CLEAR)

    def let_edges_rest(self) -> None:
        """Have the edges produce no more; they send what they hold."""
        self._tell_edges(produce=False)

    def _spoil(self, step: Step) -> None:
        """Spoil an outbox while nobody has it open: its program is killed, as by a power cut."""
        runner = self._runner_of[step.target]
        self._supervision.stop([runner])
        folder = self._fleet / step.target
        if step.kind == "outbox-deleted" and (destroyed := outboxes.delete(folder)):
            self.destroyed.append(destroyed)
            self._say(f"  {step.target}'s outbox is gone, with {len(destroyed.sequences)} records in it")
        if step.kind == "bit-flipped" and (flip := outboxes.flip(folder, step.chance)):
            self.flips.append(flip)
            self._say(f"  bit {flip.bit} of byte {flip.byte} of {step.target}'s {flip.file} was flipped")
        self._start(runner)

    def _start(self, name: str) -> None:
        """Start a program; whether it is well is seen at the end."""
        self._supervision.start([replace(self._programs[name], check=None)], START_WITHIN_S)

    def _signal(self, name: str, number: signal.Signals) -> None:
        if pid := self._supervision.pid(name):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _freeze(self, name: str) -> None:
        if not (pid := self._supervision.pid(name)):
            return
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            self._frozen = [it.pid for it in (process, *process.children(recursive=True))]
        self._each_frozen(signal.SIGSTOP)

    def _thaw(self) -> None:
        self._each_frozen(signal.SIGCONT)
        self._frozen = []

    def _each_frozen(self, number: signal.Signals) -> None:
        for pid in self._frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _tell_edges(self, **changes: object) -> None:
        self._controls |= changes
        path = self._fleet / "controls.json"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self._controls))
        fresh.replace(path)
