"""Decisions without I/O; time is an argument."""
