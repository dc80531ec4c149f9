"""Names of ``aiohttp.formdata``: forms."""

from __future__ import annotations

from windtunnel import (
    FormData,
)

__all__ = ("FormData",)
