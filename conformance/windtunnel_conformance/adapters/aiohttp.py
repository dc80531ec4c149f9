"""The aiohttp adapter: the library itself, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from windtunnel_conformance.adapters.aiohttp_style import AiohttpStyleAdapter
from windtunnel_conformance.adapters.codings import with_codings

if TYPE_CHECKING:
    from windtunnel_conformance.adapters.base import Adapter

_CAPABILITIES = (
    "auth.basic",
    "auth.digest",
    "clock.virtual",
    "cookies",
    "decode.deflate",
    "decode.gzip",
    "keepalive",
    "multipart",
    "named-hosts",
    "proxy",
    "redirects",
    "stream",
    "timeout.ceil_threshold",
    "timeout.connect",
    "timeout.sock_connect",
    "timeout.sock_read",
    "timeout.total",
    "tls",
    "websocket",
    "ws.deflate",
)


def create() -> Adapter:
    """Make the adapter; called by the catalogue."""
    return AiohttpStyleAdapter(aiohttp, _capabilities())


def _capabilities() -> tuple[str, ...]:
    return with_codings(
        _CAPABILITIES, br="brotlicffi brotli", zstd="compression.zstd backports.zstd"
    )
