"""Names of ``aiohttp.http`` that concern clients."""

from __future__ import annotations

from http import (
    HTTPStatus,
)

from windtunnel import (
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    WebSocketError,
    WSCloseCode,
    WSMessage,
    WSMsgType,
)
from windtunnel._base.version import (
    USER_AGENT as SERVER_SOFTWARE,
)
from windtunnel.errors.http import (
    HttpProcessingError,
)
from windtunnel.http_websocket import (
    WS_CLOSED_MESSAGE,
    WS_CLOSING_MESSAGE,
    WS_KEY,
    WSMessageTextBytes,
)

#: Reason phrase and description of each status.
RESPONSES = {status: (status.phrase, status.description) for status in HTTPStatus}

__all__ = (
    "RESPONSES",
    "SERVER_SOFTWARE",
    "WS_CLOSED_MESSAGE",
    "WS_CLOSING_MESSAGE",
    "WS_KEY",
    "HttpProcessingError",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "WSCloseCode",
    "WSMessage",
    "WSMessageTextBytes",
    "WSMsgType",
    "WebSocketError",
)
