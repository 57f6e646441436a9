"""What a 125 kHz reader tells."""

from asty_edge.device import PointDescription

POINTS = (PointDescription("tag", None, "the 40 bits of an EM4100 transponder as 10 hex digits"),)
