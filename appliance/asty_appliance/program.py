"""One supervised program: how it starts, stops, and shows that it is well."""

import socket
from pathlib import Path
from typing import Literal

import httpx
import psycopg
from msgspec import Struct

Stage = Literal["server", "process", "simulation"]


class TcpCheck(Struct, frozen=True, tag="tcp"):
    """Well when the port accepts a connection."""

    port: int

    def passes(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class SqlCheck(Struct, frozen=True, tag="sql"):
    """Well when the database lets us in; a port that accepts may still be a server that recovers."""

    dsn: str

    def passes(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class HttpCheck(Struct, frozen=True, tag="http"):
    """Well when the address answers 200."""

    url: str

    def passes(self) -> bool:
        try:
            return httpx.get(self.url, timeout=2, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


class FileCheck(Struct, frozen=True, tag="file"):
    """Well when the program has written the file."""

    path: str

    def passes(self) -> bool:
        return Path(self.path).exists()


class Program(Struct, frozen=True, kw_only=True):
    """What the supervisor is told of one program. Without a check, a program is well as long as it runs."""

    name: str
    stage: Stage
    command: tuple[str, ...]
    folder: str
    environment: dict[str, str] = {}
    check: TcpCheck | SqlCheck | HttpCheck | FileCheck | None = None
    address: str = ""
    stop_signal: str = "TERM"
    stop_seconds: int = 10
