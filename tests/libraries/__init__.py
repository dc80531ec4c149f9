"""Public libraries that are written on aiohttp's client, run on this client instead."""
