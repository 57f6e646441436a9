"""What a GNSS receiver tells."""

from asty_contracts.units import Unit

from asty_edge.device import PointDescription

POINTS = (
    PointDescription("utc", None, "UTC of the fix in ms; absent without a fix"),
    PointDescription("lat", Unit.LATITUDE, "WGS 84"),
    PointDescription("lon", Unit.LONGITUDE, "WGS 84"),
    PointDescription("v", Unit.METRE_PER_SECOND, "speed over ground"),
    PointDescription("course", Unit.DEGREE, "course over ground from true north"),
    PointDescription("alt", Unit.METRE, "above mean sea level"),
    PointDescription("sats", Unit.COUNT, "satellites in use"),
    PointDescription("hdop", None, "horizontal dilution of precision"),
)
