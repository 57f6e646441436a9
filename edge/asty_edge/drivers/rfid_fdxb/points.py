"""What an FDX-B reader tells."""

from asty_edge.device import PointDescription

POINTS = (PointDescription("tag", None, "the 64 bits of ISO 11784 as 16 hex digits"),)
