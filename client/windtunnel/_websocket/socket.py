"""The WebSocket as its user has it: receive, send, ping, close.

Messages of the link's inbox come in; calls of the user come in; messages and close
codes go out. The rules of frames are the link's; this is the state of one side of the
conversation::

    OPEN -> CLOSING          the peer's close frame was received, or close() was called
    OPEN | CLOSING -> CLOSED a close frame was sent, or the connection is gone
"""

from __future__ import annotations

import asyncio
import json as json_module
from enum import Enum
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, Self, cast

from windtunnel._websocket.heartbeat import Heartbeat
from windtunnel._websocket.messages import (
    CLOSED_MESSAGE,
    CLOSING_ITEM,
    ClientWSTimeout,
    WSCloseCode,
    WSMessage,
    WSMsgType,
)
from windtunnel._websocket.payloads import close_payload
from windtunnel._websocket.sending import Sender
from windtunnel._wire.ws_rules import CLOSE, NO_STATUS
from windtunnel.errors import (
    ClientConnectionResetError,
    WebSocketError,
    WSMessageTypeError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from windtunnel._exchange.response import ClientResponse
    from windtunnel._websocket.inbox import Inbox, Item
    from windtunnel._websocket.link import Link
    from windtunnel._websocket.messages import WSMessageTextBytes

    Message = WSMessage | WSMessageTextBytes

_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_OVER: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)


class _State(Enum):
    OPEN = "messages go both ways"
    CLOSING = "the end has begun"
    CLOSED = "nothing is sent or received any more"


_OPEN: Final = _State.OPEN
# Without the frame of Python that a named tuple's own constructor costs.
_new_message: Callable[[type[Message], tuple[Any, ...]], Message] = cast(
    "Any", tuple
).__new__


class ClientWebSocketResponse(Sender):
    """An open WebSocket, as ``ClientSession.ws_connect`` returns it.

    One task may receive at a time; any number may send, and their messages do not mix.

    Args:
        reader: Where messages come from.
        writer: Where frames go to.
        protocol: The sub-protocol agreed on, None without one.
        response: The response of the handshake.
        timeout: How long to wait.
        autoclose: Whether ``receive`` answers a close frame.
        autoping: Whether ``receive`` answers pings, and tells of no ping or pong.
        loop: The event loop.
        heartbeat: Seconds of silence after which a ping is sent; None for no pings.
        compress: Window bits agreed on for what is sent, 0 without compression.
        client_notakeover: Whether each message is compressed on its own.

    Compat: aiohttp's ClientWebSocketResponse; ``reader`` and ``writer`` are of our own
    types.
    """

    __slots__ = (
        "__weakref__",
        "_autoclose",
        "_autoping",
        "_client_notakeover",
        "_close_code",
        "_compress",
        "_exception",
        "_heartbeat",
        "_inbox",
        "_is_waiting",
        "_loop",
        "_protocol",
        "_reader_left",
        "_response",
        "_state",
        "_text_class",
        "_timeout",
    )

    def __init__(
        self,
        reader: Inbox,
        writer: Link,
        protocol: str | None,
        response: ClientResponse,
        timeout: ClientWSTimeout,
        autoclose: bool,
        autoping: bool,
        loop: asyncio.AbstractEventLoop,
        *,
        heartbeat: float | None = None,
        compress: int = 0,
        client_notakeover: bool = False,
    ) -> None:
        super().__init__(writer)
        self._inbox = reader
        self._text_class: type[Message] = writer.text_class
        self._protocol = protocol
        self._response = response
        self._timeout = timeout
        self._autoclose = autoclose
        self._autoping = autoping
        self._loop = loop
        self._compress = compress
        self._client_notakeover = client_notakeover
        self._state = _OPEN
        self._close_code: int | None = None
        self._exception: BaseException | None = None
        self._is_waiting = False
        self._reader_left: list[asyncio.Future[None]] = []
        self._heartbeat: Heartbeat | None = None
        if heartbeat:
            self._heartbeat = Heartbeat(
                heartbeat,
                writer.ceil_threshold,
                loop,
                ping=writer.ping,
                lost=self._lose,
                is_held=lambda: reader.is_paused,
            )
            writer.on_data = self._heartbeat.data_came

    def __class_getitem__(cls, item: object) -> GenericAlias:
        """Take a parameter in annotations.

        Compat: aiohttp's class is generic over whether text is decoded.
        """
        return GenericAlias(cls, item)

    # --- facts ----------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether a close frame was sent, or the connection is gone."""
        return self._state is _State.CLOSED

    @property
    def close_code(self) -> int | None:
        """Why it was closed, None while it is open.

        The code of the peer, 1005 if it gave none, 1006 if the end was not orderly.
        """
        return self._close_code

    @property
    def protocol(self) -> str | None:
        """The sub-protocol agreed on."""
        return self._protocol

    @property
    def compress(self) -> int:
        """Window bits of what is sent, 0 without compression."""
        return self._compress

    @property
    def client_notakeover(self) -> bool:
        """Whether each message is compressed on its own."""
        return self._client_notakeover

    def exception(self) -> BaseException | None:
        """Say what broke the connection, None if nothing did."""
        return self._exception

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Ask the transport, as ``asyncio.BaseTransport.get_extra_info``.

        Args:
            name: What to ask for, as "peername".
            default: What to return if it does not know, or is gone.
        """
        return self._link.get_extra_info(name, default)

    # --- receiving ------------------------------------------------------------------

    async def receive(self, timeout: float | None = None) -> Message:  # noqa: ASYNC109  # API
        """Wait for the next message.

        Args:
            timeout: Seconds to wait; None for the time set for the socket.

        Returns:
            A message of the peer; or ERROR with an exception if it broke the protocol
            or vanished; or CLOSING or CLOSED once there is none to come.

        Raises:
            TimeoutError: None came in time. The socket stays open.
            RuntimeError: Another task is receiving.
        """
        inbox = self._inbox
        while True:
            if self._is_waiting:
                msg = "Concurrent call to receive() is not allowed"
                raise RuntimeError(msg)
            if self._state is not _OPEN:
                await self.close()
                return CLOSED_MESSAGE
            messages = inbox.messages
            if messages:
                item = messages.popleft()
                if not messages:
                    inbox.emptied()
            else:
                item = await self._next(timeout)
            kind = item[0]
            if kind is _BINARY:
                return _new_message(WSMessage, item)
            if kind is _TEXT:
                return _new_message(self._text_class, item)
            message = WSMessage(WSMsgType(kind), item[1], item[2])
            if await self._is_for_the_user(message):
                return message

    async def _next(self, seconds: float | None) -> Item:
        """Wait for a message that is not there yet; a failure is one as well."""
        try:
            return await self._wait(seconds or self._timeout.ws_receive)
        except ClientConnectionResetError as exc:
            self._lose(exc)
            return CLOSED_MESSAGE
        except WebSocketError as exc:
            self._close_code = exc.code
            await self.close(code=exc.code)
            return WSMsgType.ERROR, exc, None

    async def _wait(self, seconds: float | None) -> Item:
        self._is_waiting = True
        try:
            if not seconds:
                return await self._inbox.read()
            async with asyncio.timeout(seconds):
                return await self._inbox.read()
        except (asyncio.CancelledError, TimeoutError):
            self._close_code = WSCloseCode.ABNORMAL_CLOSURE
            raise
        finally:
            self._is_waiting = False
            for left in self._reader_left:
                if not left.done():
                    left.set_result(None)
            self._reader_left.clear()

    async def _is_for_the_user(self, message: WSMessage) -> bool:
        """Do what a message that is neither text nor binary asks for."""
        match message.type:
            case WSMsgType.CLOSE:
                self._state = _State.CLOSING
                self._close_code = message.data or NO_STATUS
                if self._autoclose:
                    await self.close()
            case WSMsgType.PING if self._autoping:
                await self._answer(message.data)
                return False
            case WSMsgType.PONG:
                return not self._autoping
            case _:
                pass
        return True

    async def _answer(self, payload: bytes) -> None:
        try:
            await self._send(WSMsgType.PONG, payload)
        except ClientConnectionResetError:
            # It is gone; what it sent before that is still to be received.
            return

    async def receive_str(self, *, timeout: float | None = None) -> str:  # noqa: ASYNC109  # API
        """Wait for a text message; arguments and errors as in ``receive``.

        Raises:
            WSMessageTypeError: Something else came.
        """
        data: str = await self._receive_data(_TEXT, timeout)
        return data

    async def receive_bytes(self, *, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # API
        """Wait for a binary message; arguments and errors as in ``receive_str``."""
        data: bytes = await self._receive_data(_BINARY, timeout)
        return data

    async def receive_json(
        self,
        *,
        loads: Callable[[Any], Any] = json_module.loads,
        timeout: float | None = None,  # noqa: ASYNC109  # API
    ) -> Any:
        """Wait for a text message and read it as JSON.

        Args:
            loads: Turns text into a value.
            timeout: As in ``receive``; errors as in ``receive_str``.
        """
        return loads(await self._receive_data(_TEXT, timeout))

    async def _receive_data(self, kind: WSMsgType, seconds: float | None) -> Any:
        message = await self.receive(seconds)
        if message.type is not kind:
            raise WSMessageTypeError(
                f"Received message {int(message.type)}:{message.data!r} "
                f"is not WSMsgType.{kind.name}"
            )
        return message.data

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        message = await self.receive()
        if message.type in _OVER:
            raise StopAsyncIteration
        return message

    # --- the end --------------------------------------------------------------------

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes | str = b""
    ) -> bool:
        """Send a close frame and wait for the peer's, for ``ws_close`` seconds.

        Messages that come before it are dropped. A ``receive`` that waits gets CLOSING.

        Args:
            code: Why, one that may be on the wire: 1000 to 1003, 1007 to 1014, 3000 to
                4999.
            message: The same for people, at most 123 bytes of UTF-8.

        Returns:
            True, or False if it was closed before. Whether the end was orderly say
            ``close_code`` and ``exception``.

        Raises:
            ValueError: Code or message may not be on the wire.

        Spec: RFC 6455 sections 5.5.1 and 7.1.
        """
        payload = close_payload(code, message)
        if self._is_waiting:
            if self._state is _OPEN:
                self._state = _State.CLOSING
                self._inbox.put(CLOSING_ITEM)
            # One future for each, for cancelling one must not wake the others.
            left = self._loop.create_future()
            self._reader_left.append(left)
            await left
        if self._state is _State.CLOSED:
            return False
        self._state = _State.CLOSED
        self._stop_heartbeat()
        is_orderly = False
        try:
            await self._say_goodbye(payload)
            is_orderly = True
        except asyncio.CancelledError:
            self._close_code = WSCloseCode.ABNORMAL_CLOSURE
            raise
        except Exception as exc:  # noqa: BLE001  # the result is told by exception()
            if self._close_code is None:
                self._close_code = WSCloseCode.ABNORMAL_CLOSURE
                self._exception = exc
        finally:
            if is_orderly:
                self._link.close()
            else:
                self._link.abort()
        return True

    async def _say_goodbye(self, payload: bytes) -> None:
        """Send a close frame, and wait for the peer's unless the end is known."""
        async with asyncio.timeout(self._timeout.ws_close):
            await self._link.send_close(payload)
            while self._close_code is None:
                opcode, code, _ = await self._inbox.read()
                if opcode == CLOSE:
                    self._close_code = code or NO_STATUS

    def _lose(self, failure: Exception) -> None:
        """Give the connection up, and tell whoever receives."""
        self._stop_heartbeat()
        if self._is_waiting and self._state is _OPEN:
            self._inbox.put((WSMsgType.ERROR, failure, None))
        self._state = _State.CLOSED
        self._close_code = WSCloseCode.ABNORMAL_CLOSURE
        self._exception = failure
        self._link.abort()

    def _stop_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        link: Link | None = getattr(self, "_link", None)
        if link is not None and self._state is not _State.CLOSED:
            link.abort()
