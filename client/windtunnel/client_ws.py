"""Names of ``aiohttp.client_ws``: WebSockets."""

from __future__ import annotations

from windtunnel import (
    ClientWebSocketResponse,
    ClientWSTimeout,
)
from windtunnel._websocket.messages import (
    DEFAULT_WS_TIMEOUT as DEFAULT_WS_CLIENT_TIMEOUT,
)

__all__ = ("DEFAULT_WS_CLIENT_TIMEOUT", "ClientWSTimeout", "ClientWebSocketResponse")
