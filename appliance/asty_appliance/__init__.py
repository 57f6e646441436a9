"""Asty on one machine: servers, processes, supervision, the asty command."""
