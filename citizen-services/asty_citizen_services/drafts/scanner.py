"""A virus scanner, where the municipality has one: ClamAV's daemon by its own protocol."""

import socket
import struct

from asty_citizen_services.drafts.uploads import NotTakenError

CHUNK = 64 * 1024
SECONDS = 20.0


class ScannerAwayError(Exception):
    """The scanner does not answer: nothing is taken until it does."""


class Clamd:
    """Speaks INSTREAM to clamd (man clamd): size and bytes of each piece, then nothing; the answer ends with a zero byte."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    def scan(self, content: bytes) -> None:
        """Raises NotTakenError when something was found, ScannerAwayError."""
        try:
            with socket.create_connection(self._address, SECONDS) as link:
                link.sendall(b"zINSTREAM\0")
                for at in range(0, len(content), CHUNK):
                    piece = content[at : at + CHUNK]
                    link.sendall(struct.pack(">I", len(piece)) + piece)
                link.sendall(struct.pack(">I", 0))
                answer = b""
                while not answer.endswith(b"\0") and (more := link.recv(4096)):
                    answer += more
        except OSError as error:
            raise ScannerAwayError(f"clamd at {self._address[0]}:{self._address[1]} does not answer: {error}") from error
        said = answer.rstrip(b"\0").decode(errors="replace")
        if said.endswith("FOUND"):
            raise NotTakenError("A virus was found in the file. It was not kept. Check your computer.")
        if not said.endswith("OK"):
            raise ScannerAwayError(f"clamd said {said!r}")
