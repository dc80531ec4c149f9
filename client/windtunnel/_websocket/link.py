"""The transport's side of a WebSocket: bytes to messages, messages to masked frames.

Bytes from the loop come in and go to the inbox as messages; payloads come in and go
out as frames. It takes over the transport of an HTTP connection after the handshake,
and the connection hears from it when the transport is gone. It decides nothing about
pings and closing: the socket does.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from itertools import chain, repeat
from struct import Struct
from typing import TYPE_CHECKING, Final, Protocol

from windtunnel._base.compat import override
from windtunnel._websocket.inbox import Inbox
from windtunnel._websocket.messages import WSMessage, WSMessageTextBytes
from windtunnel._websocket.payloads import check_window
from windtunnel._wire.ws_deflate import DeflateParameters, Deflater, Inflater
from windtunnel._wire.ws_frames import FrameReader, frame_head
from windtunnel._wire.ws_mask import fastest_mask
from windtunnel._wire.ws_rules import CLOSE, FIN, PING, RSV1, FrameError
from windtunnel.errors import ClientConnectionResetError, WebSocketError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windtunnel._wire.ws_mask import Payload

# Read at a time: copies of this size are reused by the allocator without page faults.
_READ_BYTES: Final = 65536
# Payload is masked in slices of this size, for the same reason.
_SLICE_BYTES: Final = 65536
# Randomness is asked for in pieces of this size, each good for 256 frames.
_RANDOM_BYTES: Final = 1024
_split_keys = Struct("4s").iter_unpack


def _random_keys() -> Iterator[bytes]:
    """Give keys to mask with, for ever, that nobody can foresee.

    All of it runs in C, because every frame takes one.

    Spec: RFC 6455 section 5.3.
    """
    pieces = map(os.urandom, repeat(_RANDOM_BYTES))
    return chain.from_iterable(chain.from_iterable(map(_split_keys, pieces)))


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


class Link(asyncio.BufferedProtocol):
    """Frames over one transport.

    Args:
        loop: The loop of the transport.
        deflate: How messages are compressed, None if they are not.
        max_msg_size: Payload bytes of a received message allowed, 0 for any number.
        decode_text: Whether text messages are str.

    Attributes:
        inbox: The messages that came.
        is_full: Whether whoever has sent something has to wait.
        deflate: As given.
        on_data: Called whenever bytes came, if not None.
        text_class: What text messages become.
    """

    __slots__ = (
        "_deflater",
        "_is_closing",
        "_is_deaf",
        "_is_direct",
        "_is_lost",
        "_keys",
        "_loop",
        "_mask",
        "_owner",
        "_reader",
        "_transport",
        "_view",
        "_writers",
        "deflate",
        "inbox",
        "is_full",
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
    ) -> None:
        self.inbox = Inbox(self, loop)
        self.deflate = deflate
        self.on_data: Callable[[], None] | None = None
        inflater = None
        if deflate is not None:
            inflater = Inflater(
                deflate.server_bits,
                is_fresh_each_time=deflate.server_no_context_takeover,
            )
        self._deflater: Deflater | None = None
        self.text_class = WSMessage if decode_text else WSMessageTextBytes
        self._reader = FrameReader(
            self.inbox.messages.append,
            max_bytes=max_msg_size,
            inflater=inflater,
            decode_text=decode_text,
        )
        self._owner: Owner | None = None
        self._transport: asyncio.Transport | None = None
        self._view = memoryview(b"")
        self._is_direct = False
        self._is_deaf = False
        self._is_closing = False
        self._is_lost = False
        self.is_full = False
        # Whoever waits for room to write.
        self._writers: list[asyncio.Future[None]] = []
        self._loop = loop
        self._mask = fastest_mask()
        self._keys = _random_keys()

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

    @override
    def pause_writing(self) -> None:
        self.is_full = True

    @override
    def resume_writing(self) -> None:
        self.is_full = False
        writers, self._writers = self._writers, []
        for writer in writers:
            if not writer.done():
                writer.set_result(None)

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

    # --- sending --------------------------------------------------------------------

    def send(self, opcode: int, payload: Payload, compress: int | None = None) -> None:
        """Send a message or a control frame; the caller waits while ``is_full``.

        Args:
            opcode: The frame's.
            payload: Its payload, before compression.
            compress: Window bits to compress this message with, 9..15, if compression
                was agreed on; None or 0 for those that were.

        Raises:
            ClientConnectionResetError: The connection is closed or closing.
            ValueError: ``compress`` is out of range.
        """
        first = FIN | opcode
        if compress:
            check_window(compress)
        transport = self._transport
        if transport is None or self._is_closing or transport.is_closing():
            raise ClientConnectionResetError("Cannot write to closing transport")
        if self.deflate is not None and opcode < CLOSE:
            payload = self._compressed(payload, self.deflate, compress)
            first |= RSV1
        size = len(payload)
        key = next(self._keys)
        if size <= _SLICE_BYTES:
            transport.write(frame_head(first, size, key) + self._mask(payload, key))
            return
        transport.write(frame_head(first, size, key))
        view = memoryview(payload)
        for start in range(0, size, _SLICE_BYTES):
            transport.write(self._mask(view[start : start + _SLICE_BYTES], key))

    async def writable(self) -> None:
        """Wait until there is room for more, when ``is_full``.

        Raises:
            ClientConnectionResetError: The connection was closed meanwhile.
        """
        # One future for each: cancelling one sender must not wake the others.
        writer = self._loop.create_future()
        self._writers.append(writer)
        await writer
        if self._is_lost:
            raise ClientConnectionResetError("Cannot write to closing transport")

    async def send_close(self, payload: bytes) -> None:
        """Send a close frame; nothing can be sent after it.

        Raises:
            ClientConnectionResetError: The connection is closed or closing.
        """
        self.send(CLOSE, payload)
        self._is_closing = True
        if self.is_full:
            await self.writable()

    def ping(self) -> None:
        """Send an empty ping, if anything can still be sent."""
        with suppress(ClientConnectionResetError):
            self.send(PING, b"")

    def _compressed(
        self, payload: Payload, agreed: DeflateParameters, bits: int | None
    ) -> bytes:
        deflater = self._deflater
        # With a window of its own the message knows nothing of those before; nor may
        # those after it refer to them, for the server counts all of them.
        if bits or deflater is None:
            deflater = self._deflater = Deflater(
                min(bits or agreed.client_bits, agreed.client_bits),
                is_fresh_each_time=agreed.client_no_context_takeover,
            )
        if bits:
            self._deflater = None
        return deflater.deflate(payload)

    # --- the end --------------------------------------------------------------------

    def close(self) -> None:
        """Close after what was sent has gone out. Harmless if repeated."""
        self._is_closing = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once. Harmless if repeated."""
        self._is_closing = True
        if self._transport is not None:
            self._transport.abort()

    def get_extra_info(self, name: str, default: object) -> object:
        """Ask the transport."""
        if self._transport is None or self._is_lost:
            return default
        return self._transport.get_extra_info(name, default)
