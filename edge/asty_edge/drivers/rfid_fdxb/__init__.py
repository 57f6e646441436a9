"""RFID readers for ISO 11784/11785 FDX-B transponders (134.2 kHz)."""
