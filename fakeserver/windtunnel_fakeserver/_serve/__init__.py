"""Serving connections on any asyncio event loop."""
