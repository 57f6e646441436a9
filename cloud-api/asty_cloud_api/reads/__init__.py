"""What the screens and interfaces read: the views of schema `telemetry` beside the register. All SQL of these reads is here."""
