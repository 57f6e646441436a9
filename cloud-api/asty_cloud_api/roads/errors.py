"""What can go wrong with the roads, by what to do about it."""


class RoadsAwayError(Exception):
    """Valhalla does not answer: try again later. Kept matrices stay usable."""


class NoWayError(Exception):
    """The truck can't get from one point to the next: says which. `code` is Valhalla's."""

    def __init__(self, words: str, code: int = 0) -> None:
        super().__init__(words)
        self.code = code


class RoadsRefusedError(Exception):
    """Valhalla does not take the request: says its code and words."""
