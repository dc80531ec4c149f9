"""Names of ``aiohttp.client_middleware_digest_auth``."""

from __future__ import annotations

from windtunnel import (
    DigestAuthMiddleware,
)

__all__ = ("DigestAuthMiddleware",)
