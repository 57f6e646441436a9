"""One line of key=value for each thing that the agent says, on stderr."""

import logging
import sys
import time


class KeyValueFormatter(logging.Formatter):
    """time=… level=… from=… msg="…"; a stack trace follows in the same line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        quoted = message.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'time={stamp}.{int(record.msecs):03d}Z level={record.levelname.lower()} from={record.name} msg="{quoted}"'


def to_stderr(level: str) -> None:
    """Send the agent's log to stderr; libraries speak from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("asty_edge").setLevel(level)
    # pymodbus says each failed attempt; the device's own loop says it once, with what follows from it.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
