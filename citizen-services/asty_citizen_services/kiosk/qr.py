"""Addresses as QR codes."""

import segno


def of(address: str) -> str:
    """Return an address as a QR code: SVG as a data URI, dark on white, with its quiet zone."""
    return segno.make(address, error="m", micro=False).svg_data_uri(scale=8, border=4, dark="#000000", light="#ffffff")
