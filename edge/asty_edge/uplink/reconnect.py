"""How long to wait before connecting again. Pure: the caller brings the chance."""

FIRST_S = 1.0
LAST_S = 300.0


class Reconnect:
    """Full jitter between 1 s and a ceiling that doubles with each failure up to 300 s.

    Full jitter (Brooker, "Exponential backoff and jitter", AWS 2015) keeps a hundred trucks from returning at once.
    """

    def __init__(self) -> None:
        self._failures = 0

    def failed(self, chance: float) -> float:
        """Return the seconds to wait after one more failure; `chance` is uniform in [0, 1)."""
        ceiling = min(LAST_S, FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return FIRST_S + chance * (ceiling - FIRST_S)

    def succeeded(self) -> None:
        """The connection did its work: start from the beginning at the next failure."""
        self._failures = 0
