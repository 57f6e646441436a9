"""RFID readers send a tag several times while it is in their field."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Repeats:
    """Lets a tag through once in `window_ms`; a tag that stays in the field comes through once per window."""

    window_ms: int = 2000
    _told: dict[str, int] = field(default_factory=dict)

    def is_new(self, tag: str, at: int) -> bool:
        """Tell whether `tag`, heard at the monotonic ms `at`, is to be told."""
        self._told = {told: when for told, when in self._told.items() if at - when < self.window_ms}
        if tag in self._told:
            return False
        self._told[tag] = at
        return True
