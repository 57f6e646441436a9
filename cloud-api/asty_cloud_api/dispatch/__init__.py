"""The day's plan from registers and telemetry, kept up with what happens: `asty-cloud-api planner` and its addresses."""
