"""Engine and tank of a vehicle over SAE J1939, as the FMS gateway sends them."""
