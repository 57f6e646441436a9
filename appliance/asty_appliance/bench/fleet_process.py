"""The process of virtual edges, seen from the benchmark that drives it."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from asty_appliance.bench.fleet import Spec, Tick
from asty_appliance.work import inherited


class FleetProcess:
    """The virtual edges' process: `say` a word, read its newest `tick`."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "spec.json"
        path.write_bytes(msgspec.json.encode(spec))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "asty_appliance.bench.fleet", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "fleet.log").open("wb"),
            env=inherited(),
        )
        self.ticks: list[Tick] = []
        self._folder = folder
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word.encode() + b"\n")
        self._process.stdin.flush()

    def until(self, true: Callable[[Tick], bool], within: float) -> Tick | None:
        """Return the first tick from now on for which it is true; None when none is in time. Raises RuntimeError when the process died."""
        end = time.monotonic() + within
        place = len(self.ticks)
        while time.monotonic() < end:
            while place < len(self.ticks):
                if true(self.ticks[place]):
                    return self.ticks[place]
                place += 1
            if self._process.poll() is not None:
                raise RuntimeError(f"the virtual edges ended ({self._process.returncode}): see {self._folder / 'fleet.log'}")
            time.sleep(0.05)
        return None

    def end(self) -> None:
        """Stop it, politely first."""
        if self._process.poll() is None:
            self.say("end")
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._reader.join(5)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.ticks.append(msgspec.json.decode(line, type=Tick))
