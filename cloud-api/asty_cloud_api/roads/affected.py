"""Which pairs a closure can change, without the paths: from travel times to and from the streets that it closes."""

import numpy as np
from numpy.typing import NDArray

SLACK_SECONDS = 5.0
"""Three times in whole seconds need 2; the rest is for Valhalla's one-to-many search, which is not exact beside turn restrictions."""
Times = NDArray[np.float32]


def affected(seconds: Times, to: Times, back: Times, slack: float = SLACK_SECONDS) -> NDArray[np.bool_]:
    """Return, n x n, the pairs whose way may lead over one of m closed edges.

    seconds  n x n, the open roads' times
    to       n x m, times from each place to a point on each closed edge, in the edge's direction
    back     m x n, times from that point on to each place

    A part of a cheapest way is itself a cheapest way. So a way from a to b over the edge takes the time to the point and the time from it;
    where these take longer, the way does not use the edge and stays as it is. Times as short without use only cost a recomputation.
    NaN is no way: nothing leads over such an edge, and what had no way has none with fewer streets.
    """
    touched = np.zeros(seconds.shape, np.bool_)
    limit = seconds + np.float32(slack)
    for edge in range(to.shape[1]):
        with np.errstate(invalid="ignore"):
            touched |= to[:, edge, None] + back[edge] <= limit
    return touched
