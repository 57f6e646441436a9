"""Where records wait until the other end has stored them: a SQLite file that survives power cuts. Numbers are born here."""

from asty_edge.outbox.inspection import inspect
from asty_edge.outbox.opening import OutboxStuckError
from asty_edge.outbox.store import Appended, Outbox, OutboxBusyError
from asty_edge.outbox.version import OutboxTooNewError

__all__ = ["Appended", "Outbox", "OutboxBusyError", "OutboxStuckError", "OutboxTooNewError", "inspect"]
