"""The agent's renewal. It runs as a process of its own: the certificate library would cost the agent 14 MB for a yearly task."""

import asyncio
import logging
import random
import sys
from pathlib import Path

from asty_edge.config import Config

EVERY_S = 6 * 3600.0
ADDRESS_FILE = "enrolment.json"
"""Stands beside a certificate that came from the town, and says where it is renewed."""

_log = logging.getLogger(__name__)


async def keep_certificate(config: Config) -> None:
    """Renew this edge's certificate when it is due, for as long as the agent runs; never returns, and raises nothing of its own.

    The uplink reads the files at each connection, so a new certificate needs no restart. An edge that was given its certificate
    in another way than by `asty-edge enrol` is left alone.
    """
    while True:
        if _is_enrolled(config):
            await _renew_if_due(config)
        await asyncio.sleep(EVERY_S * random.uniform(0.8, 1.2))  # noqa: S311  many edges start in the same minute


def _is_enrolled(config: Config) -> bool:
    tls = config.uplink.tls
    return tls is not None and tls.cert is not None and Path(tls.cert).with_name(ADDRESS_FILE).exists()


async def _renew_if_due(config: Config) -> None:
    program = "from asty_edge.cli import main; main()"
    command = (sys.executable, "-c", program, "renew", "--due", "--config", str(config.file))
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        _log.warning("no process could be started to look at the certificate: %s; it is tried again in hours", error)
        return
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
