"""Which of two words about an edge's life is the newer one."""

from typing import NamedTuple
from uuid import UUID

from asty_contracts.life import State


class KnownLife(NamedTuple):
    """What is known of an edge: the session of its last birth, and the epoch, number and time (UTC ms) of its last state."""

    session: UUID | None = None
    ep: UUID | None = None
    n: int | None = None
    at: int | None = None


def accepts(known: KnownLife, state: State) -> bool:
    """Tell whether a state is news. A late Will of session n does not bury session n + 1.

    The number grows within one outbox and starts again when the outbox is lost: then the time, or the birth of its session, decides.
    """
    if known.n is None or (known.session is not None and state.session == known.session):
        return True
    if state.ep is None or known.ep is None or state.ep == known.ep:
        return state.n >= known.n
    return known.at is None or state.at > known.at
