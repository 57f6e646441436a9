"""Places in the nurseries: points by a table, a ranking per station, a waiting list."""
