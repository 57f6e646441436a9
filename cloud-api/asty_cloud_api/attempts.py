"""Who may try to sign in, and how often. What protects a PIN, which has few digits, and a passphrase is that nobody can try many.

Device cookies (OWASP, "Slow down online guessing attacks"): a device on which somebody has signed in before has a budget of its own;
all unknown devices share one. A stranger who guesses shuts out other strangers, and nobody of the town.
"""

from dataclasses import dataclass, field

MOST_WRONG = 5
WINDOW_S = 900.0
SHUT_S = (60.0, 180.0, 600.0)
STRANGERS = "strangers"


@dataclass(slots=True)
class Budget:
    """Wrong tries of the last WINDOW_S seconds, how often in a row they were too many, and until when it is shut."""

    wrong_at: list[float] = field(default_factory=list)
    shut: int = 0
    until: float = 0.0


@dataclass(slots=True)
class Door:
    """Counts in this process's memory; times are monotonic seconds."""

    budgets: dict[str, Budget] = field(default_factory=dict)

    def wait(self, device: str | None, mono: float) -> float:
        """Return the seconds for which this device (None: unknown) is shut out; 0 lets it try."""
        budget = self.budgets.get(device or STRANGERS)
        return max(0.0, budget.until - mono) if budget else 0.0

    def wrong(self, device: str | None, mono: float) -> int:
        """Count a wrong try; return how many are left before the door shuts. Each shutting lasts longer."""
        budget = self.budgets.setdefault(device or STRANGERS, Budget())
        budget.wrong_at = [at for at in budget.wrong_at if mono - at < WINDOW_S] + [mono]
        left = MOST_WRONG - len(budget.wrong_at)
        if left <= 0:
            budget.until = mono + SHUT_S[min(budget.shut, len(SHUT_S) - 1)]
            budget.shut += 1
            budget.wrong_at.clear()
        return max(0, left)

    def right(self, device: str | None, mono: float) -> None:
        """Somebody signed in: the device's wrong tries are forgotten. Of strangers only this one try is."""
        if device is not None:
            self.budgets.pop(device, None)
            return
        budget = self.budgets[STRANGERS]
        if budget.wrong_at:
            budget.wrong_at.pop()
        elif budget.until > mono:  # it was the last of the budget, and right
            budget.until, budget.shut = mono, budget.shut - 1
            budget.wrong_at = [mono] * (MOST_WRONG - 1)
