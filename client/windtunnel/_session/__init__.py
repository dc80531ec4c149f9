"""Verbs, defaults and the life of a session."""
