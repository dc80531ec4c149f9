"""The name of ``aiohttp.client_proto`` that mock libraries use."""

from __future__ import annotations

from windtunnel._body.stand_ins import (
    ResponseHandler,
)

__all__ = ("ResponseHandler",)
