"""The far end of a serial line: a pseudo-terminal whose near end is found at a path, as `/dev/ttyUSB0` would be."""

import asyncio
import contextlib
import os
import pty
import select
import termios
import tty
from collections.abc import Callable
from pathlib import Path

LOOK_FOR_OPENER_S = 0.03
"""How often an idle line is asked whether somebody has opened it: the kernel tells of closing, but not of opening."""
READ_SIZE = 4096


class SerialPort:
    """A line with a device on it. What is written while nobody has the near end open is lost, as on a real line.

    `on_data` is called with what the other side sends; `dropped` counts the bytes that nobody took.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self.on_data: Callable[[bytes], None] | None = None
        self.dropped = 0
        self._master: int | None = None
        self._slave = ""
        self._reading = False
        self._look: asyncio.TimerHandle | None = None

    @property
    def plugged(self) -> bool:
        """Tell whether the line exists."""
        return self._master is not None

    @property
    def opened(self) -> bool:
        """Tell whether somebody has the near end open; noticed within LOOK_FOR_OPENER_S."""
        return self._reading

    async def start(self) -> None:
        """Make the line. Raises FileExistsError when something that isn't a link stands at its path."""
        self.plug()

    async def stop(self) -> None:
        """Take the line away and its link with it."""
        self.unplug()

    def plug(self) -> None:
        """Make a new line and point the link at it; nothing happens when there is one already."""
        if self._master is not None:
            return
        if self.link.exists() and not self.link.is_symlink():
            raise FileExistsError(f"{self.link} is not a link to a serial port: it was left as it is; give this device another path")
        master, slave = pty.openpty()
        try:
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._slave = os.ttyname(slave)
            self._point_link()
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)  # held open it would hide whether anybody listens
        self._master = master
        self._look_for_opener()

    def unplug(self) -> None:
        """Pull the plug: who has the near end open gets an error, and the link is gone."""
        if self._master is None:
            return
        if self._look is not None:
            self._look.cancel()
            self._look = None
        self._stop_reading()
        os.close(self._master)
        self._master = None
        with contextlib.suppress(OSError):
            if str(self.link.readlink()) == self._slave:
                self.link.unlink()

    def write(self, data: bytes) -> None:
        """Send without ever waiting: what the line can't take now is dropped and counted."""
        sent = 0
        if self._master is not None and not self._poll() & select.POLLHUP:
            with contextlib.suppress(BlockingIOError):
                sent = os.write(self._master, data)
        self.dropped += len(data) - sent

    def _point_link(self) -> None:
        fresh = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._slave)
        fresh.replace(self.link)

    def _poll(self) -> int:
        """Return what the kernel says of the line: POLLHUP while nobody has the near end open, POLLIN when data waits."""
        assert self._master is not None
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        return sum(events for _, events in poll.poll(0))

    def _look_for_opener(self) -> None:
        assert self._master is not None
        loop = asyncio.get_running_loop()
        if self._poll() == select.POLLHUP:
            self._look = loop.call_later(LOOK_FOR_OPENER_S, self._look_for_opener)
            return
        self._look = None
        self._reading = True
        loop.add_reader(self._master, self._take)

    def _stop_reading(self) -> None:
        if self._reading and self._master is not None:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._master)

    def _forget_unread(self) -> None:
        """Empty the line, or the next opener would read what was said to the last one."""
        near = os.open(self._slave, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            termios.tcflush(near, termios.TCIFLUSH)
        finally:
            os.close(near)

    def _take(self) -> None:
        assert self._master is not None
        try:
            data = os.read(self._master, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:  # EIO: the last opener has closed
            self._stop_reading()
            self._forget_unread()
            self._look_for_opener()
            return
        if self.on_data is not None:
            self.on_data(data)
