"""The engines: each takes (day, stop, seed) and gives the order in which trucks visit; none decides what a plan is."""
