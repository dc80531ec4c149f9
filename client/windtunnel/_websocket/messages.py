"""What a WebSocket's user sees of it: messages, their types, close codes, timeouts.

Only values. The numbers of the wire are in ``_wire.ws_rules``.
"""

from __future__ import annotations

import json as json_module
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from windtunnel._policy.deadline import checked_seconds

if TYPE_CHECKING:
    from collections.abc import Callable


class WSMsgType(IntEnum):
    """Type of a message.

    Compat: aiohttp has the same members, and the lower-case aliases.
    """

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    PING = 0x9
    PONG = 0xA
    CLOSE = 0x8

    # What the wire does not know.
    CLOSING = 0x100
    CLOSED = 0x101
    ERROR = 0x102

    text = TEXT
    binary = BINARY
    ping = PING
    pong = PONG
    close = CLOSE
    closing = CLOSING
    closed = CLOSED
    error = ERROR


class WSCloseCode(IntEnum):
    """Why a WebSocket was closed.

    Spec: RFC 6455 section 7.4.1 and the IANA registry.
    """

    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    ABNORMAL_CLOSURE = 1006
    INVALID_TEXT = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014


class WSMessage(NamedTuple):
    """One message.

    Attributes:
        type: What it is.
        data: str of TEXT, bytes of BINARY, PING and PONG, the code of CLOSE (0 without
            one), the exception of ERROR, None of CLOSING and CLOSED.
        extra: The reason of CLOSE; "" or None of others.
    """

    type: WSMsgType
    data: Any
    extra: str | None

    def json(self, *, loads: Callable[[Any], Any] = json_module.loads) -> Any:
        """Read the data as JSON."""
        return loads(self.data)


class WSMessageTextBytes(NamedTuple):
    """A text message as bytes, with ``decode_text=False``; they are valid UTF-8.

    Attributes:
        type: TEXT.
        data: The text's bytes.
        extra: "".
    """

    type: WSMsgType
    data: bytes
    extra: str | None

    def json(self, *, loads: Callable[[Any], Any] = json_module.loads) -> Any:
        """Read the data as JSON."""
        return loads(self.data)


@dataclass(frozen=True, slots=True)
class ClientWSTimeout:
    """How long a WebSocket waits.

    Attributes:
        ws_receive: Seconds ``receive`` waits for a message; None for any time.
        ws_close: Seconds ``close`` waits for the server's close frame; None for any
            time.

    Raises:
        TypeError: A value is not a number.
        ValueError: A value is negative or NaN.

    Compat: aiohttp takes any value.
    """

    ws_receive: float | None = None
    ws_close: float | None = None

    def __post_init__(self) -> None:
        for name in ("ws_receive", "ws_close"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, checked_seconds(name, value))


DEFAULT_WS_TIMEOUT: Final = ClientWSTimeout(ws_close=10.0)
CLOSING_ITEM: Final = (WSMsgType.CLOSING, None, None)
CLOSED_MESSAGE: Final = WSMessage(WSMsgType.CLOSED, None, None)
CLOSING_MESSAGE: Final = WSMessage(WSMsgType.CLOSING, None, None)
