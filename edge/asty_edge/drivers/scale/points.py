"""What a weighing indicator tells."""

from asty_contracts.units import Unit

from asty_edge.device import PointDescription

POINTS = (
    PointDescription("kg", Unit.KILOGRAM, "the weight shown; absent when out of range"),
    PointDescription("stable", None, "the indicator found no motion"),
    PointDescription("net", None, "a tare was taken off"),
)
