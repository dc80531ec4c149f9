"""An asyncio HTTP client with the public API of aiohttp's client."""
