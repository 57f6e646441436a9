"""Who did or saw what, when: append-only, each entry chained to the one before by its hash."""
