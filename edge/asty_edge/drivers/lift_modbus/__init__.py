"""Lift controllers that serve Asty's Modbus map (docs/devices/lift-modbus.md)."""
