"""The pytest plugin of windtunnel: hooks only."""
