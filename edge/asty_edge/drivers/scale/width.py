"""Formats without a check: a line that lost a byte on its way can still look like a weight, but it has another length."""

from dataclasses import dataclass

from asty_edge.drivers.framing import Bad
from asty_edge.drivers.scale.codec import Weight


@dataclass(slots=True)
class SteadyWidth:
    """Refuses a line whose length differs from the one before; two of the new length in a row are believed."""

    _last: int | None = None

    def judge(self, weight: Weight) -> Weight | Bad:
        """Return the weight, or Bad when the length of its line is new."""
        if weight.width is None:
            return weight
        last, self._last = self._last, weight.width
        if last in (None, weight.width):
            return weight
        return Bad(f"a line of {weight.width} characters after one of {last}: a byte may be missing")
