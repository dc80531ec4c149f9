"""Names of ``aiohttp.client_middlewares``."""

from __future__ import annotations

from windtunnel import (
    ClientHandlerType,
    ClientMiddlewareType,
)

__all__ = (
    "ClientHandlerType",
    "ClientMiddlewareType",
)
