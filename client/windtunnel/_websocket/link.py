"""The transport's side of a WebSocket: bytes to messages; ``Outgoing`` does the rest.

Bytes from the loop come in and go to the inbox as messages. It takes over the transport
of an HTTP connection after the handshake, and the connection hears from it when the
transport is gone. It decides nothing about pings and closing: the socket does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from windtunnel._base.compat import override
from windtunnel._body.zlib_backend import zlib_module
from windtunnel._websocket.inbox import Inbox
from windtunnel._websocket.messages import WSMessage, WSMessageTextBytes, WSMsgType
from windtunnel._websocket.outgoing import Outgoing
from windtunnel._wire.ws_deflate import DeflateParameters, Inflater
from windtunnel._wire.ws_frames import FrameReader
from windtunnel._wire.ws_rules import FrameError
from windtunnel.errors import ClientConnectionResetError, WebSocketError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

# Read at a time: copies of this size are reused by the allocator without page faults.
_READ_BYTES: Final = 65536


class Owner(Protocol):
    """The HTTP connection whose transport this was."""

    @property
    def transport(self) -> asyncio.Transport | None:
        """The transport."""
        ...

    def get_buffer(self, sizehint: int, /) -> memoryview:
        """Give the memory that all connections of a pool read into."""
        ...

    def connection_lost(self, exc: Exception | None, /) -> None:
        """Hear that the transport is closed."""
        ...


class Link(Outgoing):
    """Frames over one transport.

    Args:
        loop: The loop of the transport.
        deflate: How messages are compressed, None if they are not.
        max_msg_size: Payload bytes of a received message allowed, 0 for any number.
        decode_text: Whether text messages are str.
        ceil_threshold: For the heartbeat; see ``connect``.

    Attributes:
        inbox: The messages that came.
        is_full: Whether whoever has sent something has to wait.
        deflate: As given.
        ceil_threshold: As given.
        on_data: Called whenever bytes came, if not None.
        text_class: What text messages become.
    """

    __slots__ = (
        "_is_deaf",
        "_is_direct",
        "_owner",
        "_reader",
        "_view",
        "ceil_threshold",
        "inbox",
        "on_data",
        "text_class",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        deflate: DeflateParameters | None,
        max_msg_size: int,
        decode_text: bool,
        ceil_threshold: float = 5,
    ) -> None:
        super().__init__(loop, deflate)
        self.inbox = Inbox(self, loop)
        self.on_data: Callable[[], None] | None = None
        inflater = None
        if deflate is not None:
            inflater = Inflater(
                deflate.server_bits,
                is_fresh_each_time=deflate.server_no_context_takeover,
                backend=zlib_module(),
            )
        self.ceil_threshold = ceil_threshold
        self.text_class = WSMessage if decode_text else WSMessageTextBytes
        self._reader = FrameReader(
            self.inbox.messages.append,
            max_bytes=max_msg_size,
            inflater=inflater,
            decode_text=decode_text,
            kinds=(WSMsgType.TEXT, WSMsgType.BINARY),
        )
        self._owner: Owner | None = None
        self._view = memoryview(b"")
        self._is_direct = False
        self._is_deaf = False

    # --- taking over ----------------------------------------------------------------

    def take_over(self, owner: Owner | None, data: bytes) -> None:
        """Begin to work.

        Args:
            owner: The connection, which has made this its transport's protocol; None
                if the transport closed before that.
            data: What came after the handshake.
        """
        self._owner = owner
        if owner is not None:
            self._transport = owner.transport
            self._view = owner.get_buffer(-1)[:_READ_BYTES]
        self._feed(data)
        if owner is None:
            self.connection_lost(None)

    # --- what the loop calls --------------------------------------------------------

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        room = self._reader.room()
        if room is None:
            self._is_direct = False
            return self._view
        self._is_direct = True
        return room

    @override
    def buffer_updated(self, nbytes: int) -> None:
        # Whoever answers what came answers at once.
        self._has_sent = bool(self._waiting)
        if self.on_data is not None:
            self.on_data()
        if self._is_direct:
            known = len(self.inbox.messages)
            self._reader.filled(nbytes)
            self._count(len(self.inbox.messages) - known, nbytes)
        else:
            self._feed(bytes(self._view[:nbytes]))

    @override
    def eof_received(self) -> None:
        # At once: closing would first wait for bytes that the peer may never read.
        self._end(None)
        self.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._end(exc)
        self.resume_writing()
        if self._owner is not None:
            self._owner.connection_lost(exc)

    # --- receiving ------------------------------------------------------------------

    def pause_reading(self) -> None:
        """Bring no more messages for now."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Bring them again."""
        if self._transport is not None and not self._is_lost:
            self._transport.resume_reading()

    def _feed(self, data: bytes) -> None:
        if self._is_deaf:
            return
        messages = self.inbox.messages
        known = len(messages)
        try:
            self._reader.feed(data)
        except FrameError as failure:
            # Nothing that follows can be understood.
            self._is_deaf = True
            error = WebSocketError(failure.code, str(failure))
            error.__cause__ = failure
            self.inbox.fail(error)
        self._count(len(messages) - known, len(data))

    def _count(self, messages: int, size: int) -> None:
        """Let the inbox know what came, so that it can stop us."""
        if self.deflate is not None:
            size += self._reader.inflated
            self._reader.inflated = 0
        self.inbox.arrived(messages, size)

    def _end(self, error: Exception | None) -> None:
        """Tell the reader that no more messages come."""
        how = "the connection was closed" if error is None else f"{error}"
        failure = ClientConnectionResetError(f"No close frame was received: {how}")
        failure.__cause__ = error
        self.inbox.fail(failure)

    def get_extra_info(self, name: str, default: object) -> object:
        """Ask the transport."""
        if self._transport is None or self._is_closing or self._is_lost:
            return default
        return self._transport.get_extra_info(name, default)
