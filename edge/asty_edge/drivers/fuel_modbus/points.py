"""What a fuel probe tells."""

from asty_contracts.units import Unit

from asty_edge.device import PointDescription

POINTS = (
    PointDescription("level", Unit.PERCENT, "of the tank; absent when the probe is faulty"),
    PointDescription("litres", Unit.LITRE, "in the tank, when its size is configured"),
)
