"""How full bins get: rates from lift weights and level sensors, and the chance of an overflow before the next visit. Pure; numpy only."""
