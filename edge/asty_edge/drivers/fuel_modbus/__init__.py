"""Fuel probes that serve Asty's Modbus map (docs/devices/fuel-modbus.md)."""
