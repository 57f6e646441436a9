"""Who may decide on the page: whoever gives the officers' code. Wrong codes are counted, so that it can't be guessed."""

import hmac
from dataclasses import dataclass, field
from typing import Literal

MOST_WRONG, WITHIN_S = 5, 300.0
Verdict = Literal["open", "wrong", "shut", "none"]


@dataclass(slots=True)
class Door:
    """`code` None: nobody decides here. After MOST_WRONG wrong codes within WITHIN_S seconds even the right one has to wait."""

    code: str | None
    wrong_at: list[float] = field(default_factory=list)

    def knock(self, given: str, mono: float) -> Verdict:
        if self.code is None:
            return "none"
        self.wrong_at = [at for at in self.wrong_at if mono - at < WITHIN_S]
        if len(self.wrong_at) >= MOST_WRONG:
            return "shut"
        if hmac.compare_digest(given.encode(), self.code.encode()):
            return "open"
        self.wrong_at.append(mono)
        return "wrong"
