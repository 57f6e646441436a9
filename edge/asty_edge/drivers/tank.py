"""From a level to litres."""


def litres(tank: float | None, level: float | None) -> float | None:
    """Return the litres in a tank of `tank` litres at `level` %; None when either is not known."""
    return None if tank is None or level is None else round(tank * level / 100, 2)
