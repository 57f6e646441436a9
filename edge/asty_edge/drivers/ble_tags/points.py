"""What vests tell."""

from asty_contracts.units import Unit

from asty_edge.device import PointDescription

POINTS = (
    PointDescription("vest", None, "identity of the vest that was heard"),
    PointDescription("rssi", Unit.DECIBEL_MILLIWATT, "strength of the signal"),
    PointDescription("battery", Unit.PERCENT, "of the tag, when it tells"),
    PointDescription("moving", None, "the tag moves, when it tells"),
    PointDescription("authentic", None, "the advertisement was encrypted with the vest's key"),
    PointDescription("alive", None, "the scanner is scanning"),
)
