"""The day's routes: a problem, an engine, breaks, a checker, explanations, re-planning. Pure: no database, no network, no wall clock."""
