"""One server as several processes, since one Python process uses one core: made ready once, then forked, all on the same port."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn

log = logging.getLogger(__name__)


def serve(config: uvicorn.Config, processes: int, begins: Callable[[int], None]) -> None:
    """Serve until a signal ends it. `begins` is called in each process with its number, before it takes requests.

    Nothing may be connected and no thread run yet: a fork would share it. When one dies all end, with 1: a supervisor starts anew.
    """
    if processes == 1:
        begins(0)
        uvicorn.Server(config).run()
        return
    listening = config.bind_socket()
    watched, held = os.pipe()
    children: set[int] = set()
    for number in range(processes):
        if (pid := os.fork()) == 0:
            os.close(held)
            begins(number)
            _work(config, listening, watched)
        children.add(pid)
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: _end(children))
    sys.exit(_wait(children))


def _work(config: uvicorn.Config, listening: socket.socket, watched: int) -> None:
    """Be one of the processes: end with the signal that the first one passes on, or when that is gone without one."""

    def watch() -> None:
        os.read(watched, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    logging.shutdown()
    os._exit(0 if server.started else 1)


def _wait(children: set[int]) -> int:
    """Wait for all; return 1 when one has died, which ends the others."""
    code = 0
    while children:
        pid, status = os.wait()
        children.discard(pid)
        if status and not code:
            code = 1
            log.error("process %d of the server ended with %d: the others end too", pid, os.waitstatus_to_exitcode(status))
            _end(children)
    return code


def _end(children: set[int]) -> None:
    for pid in tuple(children):
        os.kill(pid, signal.SIGTERM)
