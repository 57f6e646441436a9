"""Which pairs a closure can change, without the paths: from travel times to and from the streets that it closes."""

import numpy as np
from numpy.typing import NDArray

SLACK_SECONDS = 3.0
"""Three times that Valhalla rounds to whole seconds are compared."""


def affected(
    seconds: NDArray[np.float32], to: NDArray[np.float32], back: NDArray[np.float32], slack: float = SLACK_SECONDS
) -> NDArray[np.bool_]:
    """Return, n x n, the pairs whose way may lead over one of m closed edges.

    seconds  n x n, the open roads' times
    to       n x m, times from each place to a point on each closed edge, in its direction
    back     m x n, times from that point on to each place

    A part of a cheapest way is a cheapest way. So a way from a to b over the edge takes exactly the time to the point and the time from it;
    a pair whose time differs does not use the edge, and its way stays open. Equal times without use only cost a recomputation.
    """
    touched = np.zeros(seconds.shape, np.bool_)
    for edge in range(to.shape[1]):
        over = to[:, edge, None] + back[edge]
        with np.errstate(invalid="ignore"):
            touched |= over <= seconds + slack
    return touched
