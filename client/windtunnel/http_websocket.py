"""Names of ``aiohttp.http_websocket``: what travels over a WebSocket."""

from __future__ import annotations

from windtunnel import (
    WebSocketError,
    WSCloseCode,
    WSMessage,
    WSMsgType,
)
from windtunnel._websocket.messages import (
    CLOSED_MESSAGE as WS_CLOSED_MESSAGE,
    CLOSING_MESSAGE as WS_CLOSING_MESSAGE,
    WSMessageTextBytes,
)
from windtunnel._wire.ws_handshake import (
    WS_KEY,
)

__all__ = (
    "WS_CLOSED_MESSAGE",
    "WS_CLOSING_MESSAGE",
    "WS_KEY",
    "WSCloseCode",
    "WSMessage",
    "WSMessageTextBytes",
    "WSMsgType",
    "WebSocketError",
)
