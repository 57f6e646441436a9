"""Units on the wire: the names of SenML (RFC 8428, section 12.1) and, marked so, what SenML has no name for."""

from enum import StrEnum


class Unit(StrEnum):
    KILOGRAM = "kg"
    LITRE = "l"
    PERCENT = "%"
    CELSIUS = "Cel"
    METRE = "m"
    METRE_PER_SECOND = "m/s"
    LATITUDE = "lat"
    LONGITUDE = "lon"
    DEGREE = "deg"  # RFC 8798
    SECOND = "s"
    VOLT = "V"
    BAR = "bar"  # ours
    DECIBEL_MILLIWATT = "dBm"  # ours
    COUNT = "count"
    PER_MINUTE = "1/min"
    LITRE_PER_HOUR = "l/h"  # ours
