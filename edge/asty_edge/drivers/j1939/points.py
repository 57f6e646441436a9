"""What a vehicle's bus tells."""

from asty_contracts.units import Unit

from asty_edge.device import PointDescription

POINTS = (
    PointDescription("level", Unit.PERCENT, "fuel level (SPN 96)"),
    PointDescription("second", Unit.PERCENT, "fuel level of the second tank (SPN 38)"),
    PointDescription("litres", Unit.LITRE, "in the first tank, when its size is configured"),
    PointDescription("rate", Unit.LITRE_PER_HOUR, "fuel rate (SPN 183)"),
    PointDescription("total", Unit.LITRE, "fuel used since new (SPN 5054, else 250)"),
    PointDescription("rpm", Unit.PER_MINUTE, "engine speed (SPN 190)"),
    PointDescription("v", Unit.METRE_PER_SECOND, "wheel speed (SPN 84)"),
    PointDescription("dist", Unit.METRE, "distance since new (SPN 917)"),
    PointDescription("hours", "h", "engine hours since new (SPN 247)"),
)
