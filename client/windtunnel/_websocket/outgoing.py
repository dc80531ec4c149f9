"""The half of a WebSocket's transport that sends: payloads to masked frames.

Payloads come in and go out as frames, compressed if that was agreed on, masked always.
It is the lower half of ``Link`` and not used alone.

A lone small frame is written at once. Those that follow it before the loop comes round
are written together when it does, because a system call for each costs more than all
else that is done to a small message.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from itertools import chain, repeat
from struct import Struct
from typing import TYPE_CHECKING, Final

from windtunnel._base.compat import override
from windtunnel._body.zlib_backend import zlib_module
from windtunnel._transport.connection import Successor
from windtunnel._wire.ws_deflate import DeflateParameters, Deflater
from windtunnel._wire.ws_frames import frame_head
from windtunnel._wire.ws_mask import fastest_mask
from windtunnel._wire.ws_rules import CLOSE, FIN, PING, RSV1
from windtunnel.errors import ClientConnectionResetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windtunnel._wire.ws_mask import Payload

# Larger payloads are masked and written in slices of this size: memory of it is used
# again by the allocator without page faults.
_SLICE_BYTES: Final = 65536
# Frames with more payload than this wait for no other, nor do more frames than this.
_SMALL_BYTES: Final = 1024
_MAX_WAITING: Final = 64
# Larger messages are compressed in a thread: 64 KiB take about half a millisecond, the
# way to a thread and back a fifth of one.
_INLINE_BYTES: Final = 65536
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


class Outgoing(Successor):
    """Flow control, compression and frames of what is sent.

    Args:
        loop: The loop of the transport.
        deflate: How messages are compressed, None if they are not.

    Attributes:
        deflate: As given.
        is_full: Whether whoever has sent something has to wait.
    """

    __slots__ = (
        "_deflater",
        "_has_sent",
        "_is_closing",
        "_is_lost",
        "_keys",
        "_loop",
        "_mask",
        "_transport",
        "_turn",
        "_waiting",
        "_will_flush",
        "_writers",
        "deflate",
        "is_full",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deflate: DeflateParameters | None
    ) -> None:
        self.deflate = deflate
        self.is_full = False
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._is_closing = False
        self._is_lost = False
        # Whoever waits for room to write.
        self._writers: list[asyncio.Future[None]] = []
        # Small frames that will be written when the loop comes round, and whether one
        # was written since it did, or since the peer said something.
        self._waiting: list[bytes] = []
        self._will_flush = False
        self._has_sent = False
        self._deflater: Deflater | None = None
        # Whose turn it is to compress; only one can use the window at a time.
        self._turn: asyncio.Lock | None = None if deflate is None else asyncio.Lock()
        self._mask = fastest_mask()
        self._keys = _random_keys()

    # --- frames ---------------------------------------------------------------------

    def send(self, first: int, payload: Payload) -> None:
        """Send one frame as it is; the caller waits while ``is_full``.

        Args:
            first: FIN, reserved bits and opcode.
            payload: Its payload.

        Raises:
            ClientConnectionResetError: The connection is closed or closing.
        """
        transport = self._transport
        if transport is None or self._is_closing or transport.is_closing():
            raise ClientConnectionResetError("Cannot write to closing transport")
        size = len(payload)
        key = next(self._keys)
        if size > _SMALL_BYTES:
            self._send_large(transport, first, payload, key)
            return
        frame = frame_head(first, size, key) + self._mask(payload, key)
        if self._has_sent:
            waiting = self._waiting
            waiting.append(frame)
            if not self._will_flush:
                self._will_flush = True
                self._loop.call_soon(self._flush_later)
            elif len(waiting) >= _MAX_WAITING:
                self._flush()
        else:
            self._has_sent = True
            transport.write(frame)

    def _send_large(
        self, transport: asyncio.Transport, first: int, payload: Payload, key: bytes
    ) -> None:
        if self._waiting:
            self._flush()
        size = len(payload)
        head = frame_head(first, size, key)
        if size <= _SLICE_BYTES:
            transport.write(head + self._mask(payload, key))
            return
        transport.write(head)
        view = memoryview(payload)
        for start in range(0, size, _SLICE_BYTES):
            transport.write(self._mask(view[start : start + _SLICE_BYTES], key))

    def _flush_later(self) -> None:
        self._will_flush = self._has_sent = False
        self._flush()

    def _flush(self) -> None:
        """Write the frames that wait; after the end of the connection, drop them."""
        waiting = self._waiting
        if not waiting:
            return
        transport = self._transport
        if transport is not None and not transport.is_closing():
            # Joined and not by ``writelines``, as ``Channel.write`` says.
            transport.write(b"".join(waiting))
        waiting.clear()

    # --- messages -------------------------------------------------------------------

    async def send_compressed(
        self, opcode: int, payload: Payload, bits: int | None
    ) -> None:
        """Send a message compressed, after those whose turn is before; or as it is.

        Args:
            opcode: TEXT or BINARY.
            payload: Its payload, before compression.
            bits: Window bits to compress this message with on its own, 9..15; None or 0
                for those that were agreed on.

        Raises:
            ClientConnectionResetError: The connection is closed or closing.

        Spec: RFC 7692 section 6; without compression agreed on, nothing is compressed.
        """
        agreed, turn = self.deflate, self._turn
        if agreed is None or turn is None:
            self.send(FIN | opcode, payload)
            return
        async with turn:
            # With a window of its own the message knows nothing of those before; nor
            # may those after it refer to them, for the server counts all of them.
            deflater, self._deflater = self._deflater, None
            if bits or deflater is None:
                deflater = Deflater(
                    min(bits or agreed.client_bits, agreed.client_bits),
                    is_fresh_each_time=agreed.client_no_context_takeover,
                    backend=zlib_module(),
                )
            if len(payload) <= _INLINE_BYTES:
                data = deflater.deflate(payload)
            else:
                # If this is cancelled, nobody uses that window again.
                data = await self._loop.run_in_executor(
                    None, deflater.deflate, bytes(payload)
                )
            if not bits:
                self._deflater = deflater
            self.send(FIN | RSV1 | opcode, data)

    async def send_close(self, payload: bytes) -> None:
        """Send a close frame; nothing can be sent after it.

        Raises:
            ClientConnectionResetError: The connection is closed or closing.
        """
        self.send(FIN | CLOSE, payload)
        self._flush()
        self._is_closing = True
        if self.is_full:
            await self.writable()

    def ping(self) -> None:
        """Send an empty ping, if anything can still be sent."""
        with suppress(ClientConnectionResetError):
            self.send(FIN | PING, b"")

    # --- flow control ---------------------------------------------------------------

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

    # --- the end --------------------------------------------------------------------

    def close(self) -> None:
        """Close after what was sent has gone out. Harmless if repeated."""
        self._flush()
        self._is_closing = True
        if self._transport is not None:
            self._transport.close()

    @override
    def abort(self) -> None:
        """Close at once. Harmless if repeated.

        What was sent before goes out as far as the peer takes it.
        """
        self._flush()
        self._is_closing = True
        if self._transport is not None:
            self._transport.abort()
