"""Supervision by supervisord: its configuration, its start, and its XML-RPC interface over a unix socket."""

import hashlib
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast
from xmlrpc.client import Fault, ServerProxy

import msgspec
import psutil
from msgspec import Struct
from supervisor.xmlrpc import Faults, SupervisorTransport

from asty_appliance.home import Home
from asty_appliance.program import Program
from asty_appliance.work import inherited

_HEAD = """\
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
pidfile={run}/supervisord.pid
childlogdir={logs}
directory={root}
minfds=4096

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

_PRIORITY = {"server": 100, "process": 200, "simulation": 300}  # what stands lower starts first and stops last

# A program that dies at once is tried again after 1, 2, 3, … seconds; one that had run is started again at once.
_PROGRAM = """
[program:{name}]
command={command}
directory={folder}
environment={environment}
priority={priority}
autostart=false
autorestart=true
startsecs=2
startretries=10000
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
killasgroup=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
redirect_stderr=true
"""


class NotRunningError(Exception):
    """No supervisor answers for this home."""


class NotWellError(Exception):
    """A program did not come up in time; says which, and where its log lies."""


class Condition(Struct, frozen=True):
    """How one program is: supervisord's state name, its process id, whether its check passes, and since when it runs."""

    name: str
    state: str
    pid: int
    well: bool
    address: str
    seconds: int
    says: str


class Supervision:
    """The programs of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        path = home.run / "supervisor.sock"
        if len(str(path)) > 90:  # a unix socket's path holds at most 107 bytes
            path = Path(tempfile.gettempdir()) / f"asty-{hashlib.sha256(str(home.root).encode()).hexdigest()[:16]}.sock"
        self._socket = path
        self._programs_file = home.run / "programs.json"

    def is_running(self) -> bool:
        try:
            self._call("getState")
        except (NotRunningError, Fault):
            return False
        return True

    def programs(self) -> list[Program]:
        """Return the programs that this home was last configured with."""
        return msgspec.json.decode(self._programs_file.read_bytes(), type=list[Program])

    def configure(self, programs: Sequence[Program]) -> None:
        """Write supervisord's configuration; a running supervisord takes up programs that are new in it."""
        home = self._home
        text = _HEAD.format(socket=self._socket, logs=_escaped(home.logs), run=_escaped(home.run), root=_escaped(home.root))
        text += "".join(_section(program, home) for program in programs)
        config = home.run / "supervisord.conf"
        config.touch(mode=0o600)
        config.write_text(text)
        self._programs_file.touch(mode=0o600)
        self._programs_file.write_bytes(msgspec.json.encode(list(programs)))
        if self.is_running():
            added, changed, removed = self._call("reloadConfig")[0]
            for name in [*changed, *removed]:
                self._call("stopProcessGroup", name)
                self._call("removeProcessGroup", name)
            for name in [*added, *changed]:
                self._call("addProcessGroup", name)

    def launch(self) -> None:
        """Start supervisord as a daemon."""
        config = self._home.run / "supervisord.conf"
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=inherited())
        if done.returncode:
            raise NotWellError(f"supervisord did not start: {done.stderr.strip() or done.stdout.strip()}")
        _wait(self.is_running, 15, lambda: "supervisord does not answer")

    def start(self, programs: Iterable[Program], within: float = 60) -> None:
        """Start the programs and wait until each one's check passes. Raises NotWellError."""
        programs = list(programs)
        for program in programs:
            try:
                self._call("startProcess", program.name, False)
            except Fault as fault:
                if fault.faultCode != Faults.ALREADY_STARTED:
                    raise
        for program in programs:
            _wait(lambda it=program: self._is_well(it), within, lambda it=program: self._complaint(it))  # type: ignore[misc]

    def stop(self, names: Iterable[str]) -> None:
        """Stop the programs, together, and wait for their end."""
        names = list(names)
        for name in names:
            try:
                self._call("stopProcess", name, False)
            except Fault as fault:
                if fault.faultCode != Faults.NOT_RUNNING:
                    raise
        for name in names:
            _wait(lambda it=name: self._info(it)["statename"] in {"STOPPED", "EXITED", "FATAL"}, 40, lambda it=name: f"{it} does not stop")  # type: ignore[misc]

    def shut_down(self) -> None:
        """Stop every program, the last started first, and then supervisord itself."""
        pid = self._call("getPID")
        self._call("shutdown")
        _wait(lambda: not _lives(pid), 60, lambda: "supervisord does not stop")

    def conditions(self) -> list[Condition]:
        """Tell how each program is. Raises NotRunningError."""
        if not self.is_running():
            raise NotRunningError
        return [self._condition(program) for program in self.programs()]

    def pid(self, name: str) -> int:
        return int(self._info(name)["pid"])

    def _condition(self, program: Program) -> Condition:
        info = self._info(program.name)
        running = info["statename"] == "RUNNING"
        well = running and (program.check is None or program.check.passes())
        says = info["description"] if not well else ""
        seconds = int(info["now"] - info["start"]) if running else 0
        return Condition(program.name, info["statename"].lower(), int(info["pid"]), well, program.address, seconds, says)

    def _is_well(self, program: Program) -> bool:
        if self._info(program.name)["statename"] not in {"RUNNING", "STARTING"}:
            return False
        return program.check.passes() if program.check else True

    def _complaint(self, program: Program) -> str:
        info = self._info(program.name)
        log = self._home.logs / f"{program.name}.log"
        tail = log.read_text(errors="replace").splitlines()[-8:] if log.exists() else []
        return "\n".join([f"{program.name} is not well ({info['statename'].lower()}: {info['description']}). The end of {log}:", *tail])

    def _info(self, name: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self._call("getProcessInfo", name))

    def _call(self, method: str, *arguments: Any) -> Any:
        if not self._socket.exists():
            raise NotRunningError
        with ServerProxy("http://127.0.0.1", transport=SupervisorTransport(None, None, f"unix://{self._socket}")) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except OSError as error:
                raise NotRunningError from error


def _section(program: Program, home: Home) -> str:
    environment = ",".join(f"{name}={_quoted(name, value)}" for name, value in program.environment.items())
    return _PROGRAM.format(
        name=program.name,
        command=_escaped(shlex.join(program.command)),
        folder=_escaped(program.folder),
        environment=environment,
        priority=_PRIORITY[program.stage],
        stop_signal=program.stop_signal,
        stop_seconds=program.stop_seconds,
        logs=_escaped(_escaped(home.logs)),  # supervisord expands a log's path twice
    )


def _quoted(name: str, value: str) -> str:
    """Quote a setting for supervisord, whose reader knows no escape inside quotes. Raises ValueError for what it cannot carry."""
    mark = "'" if '"' in value else '"'
    if mark in value or value[-1:] in {"'", '"'}:
        raise ValueError(f"{name}={value}: supervisord carries no value with both kinds of quotes or a quote at its end")
    return f"{mark}{_escaped(value)}{mark}"


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")


def _wait(done: Callable[[], bool], seconds: float, complaint: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise NotWellError(complaint())
        time.sleep(0.1)
