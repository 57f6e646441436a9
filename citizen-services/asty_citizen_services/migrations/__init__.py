"""Alembic's steps. A room's steps are named `room_NNNN` and follow each other alone: rooms don't wait for one another's."""
