"""One adapter for each client under test."""
