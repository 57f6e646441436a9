"""Decisions about records, pure: the time is an argument and nothing here waits."""
