"""RFID readers for EM4100 transponders (125 kHz)."""
