"""How bytes, registers, frames and advertisements reach the edge; foreign errors are translated to device.py's two here."""
