"""Names of ``aiohttp.resolver``: how names become addresses."""

from __future__ import annotations

from windtunnel import (
    AsyncResolver,
    DefaultResolver,
    ThreadedResolver,
)

__all__ = (
    "AsyncResolver",
    "DefaultResolver",
    "ThreadedResolver",
)
