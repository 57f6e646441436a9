"""The agent's renewal. It runs as a process of its own: the certificate library would cost the agent 14 MB for a yearly task."""

import asyncio
import logging
import random
import sys

from asty_edge.config import Config

EVERY_S = 6 * 3600.0

_log = logging.getLogger(__name__)


async def keep_certificate(config: Config) -> None:
    """Renew this edge's certificate when it is due, for as long as the agent runs; never returns and raises nothing of its own.

    The uplink reads the files at each connection, so a new certificate needs no restart.
    """
    if config.uplink.tls is None or config.uplink.tls.cert is None:
        await asyncio.Event().wait()
    while True:
        await _renew_if_due(config)
        await asyncio.sleep(EVERY_S * random.uniform(0.8, 1.2))  # noqa: S311  many edges start in the same minute


async def _renew_if_due(config: Config) -> None:
    program = "from asty_edge.cli import main; main()"
    command = (sys.executable, "-c", program, "renew", "--due", "--config", str(config.file))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    line = said.decode(errors="replace").strip()
    if process.returncode:
        _log.error("the certificate was not renewed and is tried again in hours: %s", line)
    elif line:
        _log.info("%s", line)
