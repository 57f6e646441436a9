"""What a level sensor tells."""

from asty_contracts.units import Unit

from asty_edge.device import PointDescription

POINTS = (
    PointDescription("level", Unit.PERCENT, "of the way from the empty bin's floor to its full mark; absent when the sensor can't say"),
    PointDescription("dist", Unit.METRE, "from the sensor to what lies in the bin"),
    PointDescription("battery", Unit.PERCENT, "of the sensor"),
    PointDescription("tilt", None, "whether the lid stands open, or the bin lies"),
    PointDescription("rssi", Unit.DECIBEL_MILLIWATT, "at the gateway"),
)
