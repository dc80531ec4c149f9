"""Names of ``aiohttp.cookiejar``: where cookies are kept."""

from __future__ import annotations

from windtunnel import (
    CookieJar,
    DummyCookieJar,
)

__all__ = (
    "CookieJar",
    "DummyCookieJar",
)
