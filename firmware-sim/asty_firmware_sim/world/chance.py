"""Chance by seed and subject: what happens to one truck does not depend on how many others there are."""

from zlib import crc32

import numpy as np


def chance(seed: int, *subject: object) -> np.random.Generator:
    """Return the generator of one subject."""
    return np.random.default_rng([seed & 0xFFFF_FFFF, crc32("/".join(map(str, subject)).encode())])
