"""Opening a WebSocket: an ordinary request, whose answer switches the protocol.

The arguments of ``ws_connect`` and a function that sends requests come in, an open
socket goes out. It knows the session only as that function, so redirects, cookies,
credentials and whatever else a request has apply by themselves.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final

from multidict import CIMultiDict

from windtunnel import hdrs
from windtunnel._base.compat import override
from windtunnel._base.typedefs import UNSET, Unset
from windtunnel._policy.deadline import checked_seconds
from windtunnel._websocket.link import Link
from windtunnel._websocket.messages import DEFAULT_WS_TIMEOUT, ClientWSTimeout
from windtunnel._websocket.payloads import check_window
from windtunnel._websocket.socket import ClientWebSocketResponse
from windtunnel._wire.ws_handshake import (
    KEY_BYTES,
    HandshakeError,
    Terms,
    agree,
    check_answer,
    deflate_offer,
    make_key,
)
from windtunnel.errors import WSServerHandshakeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    from yarl import URL

    from windtunnel._exchange.headers import Headers
    from windtunnel._exchange.response import ClientResponse

    Request = Callable[..., Awaitable[ClientResponse]]

DEFAULT_MAX_MSG_SIZE: Final = 4 * 1024 * 1024


async def connect(
    request: Request,
    socket_class: type[ClientWebSocketResponse],
    ceil_threshold: float,
    url: str | URL,
    *,
    method: str = "GET",
    protocols: Iterable[str] = (),
    timeout: ClientWSTimeout | float | Unset | None = UNSET,  # noqa: ASYNC109  # API
    receive_timeout: float | None = None,
    autoclose: bool = True,
    autoping: bool = True,
    heartbeat: float | None = None,
    origin: str | None = None,
    headers: Headers | None = None,
    compress: int = 0,
    max_msg_size: int = DEFAULT_MAX_MSG_SIZE,
    decode_text: bool = True,
    **options: Any,
) -> ClientWebSocketResponse:
    """Open a WebSocket.

    Args:
        request: Sends a request: method, URL, ``headers`` and ``options``.
        socket_class: What to make; called as ``ClientWebSocketResponse`` is.
        ceil_threshold: From how many seconds on a time of the heartbeat ends at a whole
            second of the loop's clock.
        url: Where to, with http, https, ws or wss.
        method: Of the request; GET by the protocol.
        protocols: Sub-protocols we speak, the best first.
        timeout: How long to wait; a number is deprecated and means ``ws_close``.
        receive_timeout: Deprecated: seconds ``receive`` waits.
        autoclose: Whether ``receive`` answers a close frame.
        autoping: Whether ``receive`` answers pings, and tells of no ping or pong.
        heartbeat: Seconds of silence after which a ping is sent.
        origin: Value of the Origin field.
        headers: More fields.
        compress: Window bits to offer for compression, 9 to 15; 0 for none.
        max_msg_size: Payload bytes of a received message at most, after inflation; 0
            for any number.
        decode_text: Whether text messages are str, else bytes.
        **options: Of the request.

    Returns:
        The open socket, which has to be closed.

    Raises:
        WSServerHandshakeError: The answer is no, or does not fit.
        ClientError: There was none.
        TypeError: A number is none.
        ValueError: A number is out of range.

    Spec: RFC 6455 section 4.1, RFC 7692 section 5.
    """
    limits = _timeout(timeout, receive_timeout)
    check_window(compress)
    if heartbeat is not None:
        heartbeat = checked_seconds("heartbeat", heartbeat)
    if max_msg_size < 0:
        msg = f"max_msg_size={max_msg_size} is negative, allowed are 0 (any) and more"
        raise ValueError(msg)
    names = tuple(protocols)
    key = make_key(os.urandom(KEY_BYTES))
    fields = CIMultiDict(headers or ())
    fields.setdefault(hdrs.UPGRADE, "websocket")
    fields.setdefault(hdrs.CONNECTION, "Upgrade")
    fields.setdefault(hdrs.SEC_WEBSOCKET_VERSION, "13")
    fields[hdrs.SEC_WEBSOCKET_KEY] = key
    if names:
        fields[hdrs.SEC_WEBSOCKET_PROTOCOL] = ",".join(names)
    if origin is not None:
        fields[hdrs.ORIGIN] = origin
    if compress:
        fields[hdrs.SEC_WEBSOCKET_EXTENSIONS] = deflate_offer(compress)
    response = await request(method, url, headers=fields, **options)
    try:
        terms = _terms(response, key, names, compress)
        loop = asyncio.get_running_loop()
        deflate = terms.deflate
        link = Link(
            loop,
            deflate=deflate,
            max_msg_size=max_msg_size,
            decode_text=decode_text,
            ceil_threshold=ceil_threshold,
        )
        socket = socket_class(
            link.inbox,
            link,
            terms.protocol,
            response,
            limits,
            autoclose,
            autoping,
            loop,
            heartbeat=heartbeat,
            compress=0 if deflate is None else deflate.client_bits,
            client_notakeover=deflate is not None
            and deflate.client_no_context_takeover,
        )
    except BaseException:
        response.close()
        raise
    link.take_over(*response.switch_protocol(link))
    return socket


def _terms(
    response: ClientResponse, key: str, protocols: tuple[str, ...], compress: int
) -> Terms:
    """Check the answer.

    Raises:
        WSServerHandshakeError: It is no, or does not fit.
    """
    try:
        if response.status != 101:
            raise HandshakeError("Invalid response status")
        values = check_answer(response.version.minor, response.headers.items(), key)
        return agree(values, protocols, compress)
    except HandshakeError as exc:
        error = WSServerHandshakeError(
            response.request_info,
            response.history,
            status=response.status,
            message=exc.text,
            headers=response.headers,
        )
        error.rule = exc.rule
        raise error from exc


def _timeout(
    timeout: ClientWSTimeout | float | Unset | None, receive_timeout: float | None
) -> ClientWSTimeout:
    """Read the two arguments; numbers are deprecated.

    Compat: aiohttp reads and warns of the same.
    """
    if timeout is UNSET:
        limits = DEFAULT_WS_TIMEOUT
    elif isinstance(timeout, ClientWSTimeout):
        limits = timeout
    else:
        _deprecated("timeout", "ws_close")
        limits = ClientWSTimeout(ws_close=timeout)
    if receive_timeout is not None:
        _deprecated("receive_timeout", "ws_receive")
        limits = ClientWSTimeout(receive_timeout, limits.ws_close)
    return limits


def _deprecated(name: str, field: str) -> None:
    warnings.warn(
        f"a number as {name} of ws_connect() is deprecated, "
        f"use timeout=ClientWSTimeout({field}=...)",
        DeprecationWarning,
        stacklevel=4,
    )


class WSConnectContext(Coroutine[Any, Any, ClientWebSocketResponse]):
    """A WebSocket that opens when it is awaited or entered, and is closed at the exit.

    It is a coroutine as well, so that it can be given to ``create_task``.
    """

    __slots__ = ("_connecting", "_socket")

    def __init__(
        self, connecting: Coroutine[Any, Any, ClientWebSocketResponse]
    ) -> None:
        self._connecting = connecting

    @override
    def __await__(self) -> Generator[Any, Any, ClientWebSocketResponse]:
        return self._connecting.__await__()

    @override
    def send(self, value: Any, /) -> Any:
        return self._connecting.send(value)

    @override
    def throw(self, *args: Any) -> Any:
        return self._connecting.throw(*args)

    @override
    def close(self) -> None:
        self._connecting.close()

    async def __aenter__(self) -> ClientWebSocketResponse:
        self._socket = socket = await self._connecting
        return socket

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._socket.close()
