"""permessage-deflate: compressing and inflating the payload of messages.

Payloads of whole messages and pieces of received ones come in, payloads go out. The
agreed parameters are given; ``ws_handshake`` negotiates them. It knows no frames.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from windtunnel._wire.ws_rules import INVALID_DATA, FrameError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a sender takes off the end of each message (RFC 7692 section 7.2.1).
_TAIL: Final = b"\x00\x00\xff\xff"
_EMPTY: Final = b"\x00"
# Inflated bytes to make at a time, so that a bomb is noticed early.
_STEP_BYTES: Final = 65536
MAX_WINDOW_BITS: Final = 15


@dataclass(frozen=True, slots=True)
class DeflateParameters:
    """What both sides agreed on.

    Attributes:
        client_bits: Base-two logarithm of the window we compress with, 9..15.
        server_bits: The same for what we receive, 8..15.
        client_no_context_takeover: We forget the window after each message.
        server_no_context_takeover: The server does.
    """

    client_bits: int = MAX_WINDOW_BITS
    server_bits: int = MAX_WINDOW_BITS
    client_no_context_takeover: bool = False
    server_no_context_takeover: bool = False


class Deflater:
    """Compresses the messages of one direction.

    Args:
        bits: Base-two logarithm of the window, 9..15.
        is_fresh_each_time: Whether no message may refer to one before.
        backend: A module with the names of zlib.

    Compat: aiohttp compresses at this level too. On JSON it is three times faster than
    zlib's default, and leaves an eighth more.
    """

    __slots__ = ("_compressor", "_flush")

    def __init__(
        self, bits: int, *, is_fresh_each_time: bool, backend: Any = zlib
    ) -> None:
        self._compressor = backend.compressobj(backend.Z_BEST_SPEED, wbits=-bits)
        # A full flush forgets the window; a new compressor each time would cost more.
        self._flush: int = (
            backend.Z_FULL_FLUSH if is_fresh_each_time else backend.Z_SYNC_FLUSH
        )

    def deflate(self, data: bytes | bytearray | memoryview) -> bytes:
        """Compress the whole payload of one message.

        Spec: RFC 7692 section 7.2.1; 7.2.3.6 for the empty message.
        """
        if not data:
            # zlib flushes nothing if nothing is new.
            return _EMPTY
        compressor = self._compressor
        compressed: bytes = compressor.compress(data) + compressor.flush(self._flush)
        return compressed[: -len(_TAIL)]


class Inflater:
    """Inflates the messages of one direction, in bounded steps.

    Args:
        bits: Base-two logarithm of the largest window, 8..15.
        is_fresh_each_time: Whether no message refers to one before.
        backend: A module with the names of zlib.
    """

    __slots__ = (
        "_backend",
        "_decompressor",
        "_is_fresh_each_time",
        "_is_open",
        "_wbits",
    )

    def __init__(
        self, bits: int, *, is_fresh_each_time: bool, backend: Any = zlib
    ) -> None:
        self._wbits = -bits
        self._is_fresh_each_time = is_fresh_each_time
        self._backend = backend
        self._decompressor = backend.decompressobj(self._wbits)
        # Whether a block of this message has begun that the tail will end.
        self._is_open = False

    def inflate(self, data: bytes, offset: int) -> Iterator[bytes]:
        """Inflate a piece of a message.

        Args:
            data: The piece.
            offset: Where its frame began, for the error.

        Yields:
            Pieces of at most 64 KiB, some empty; whoever has enough stops asking.

        Raises:
            FrameError: It is not the data of a deflate stream.
        """
        while data:
            decompressor = self._decompressor
            self._is_open = True
            try:
                yield decompressor.decompress(data, _STEP_BYTES)
            except self._backend.error as exc:
                raise FrameError(
                    INVALID_DATA,
                    f"compressed message cannot be inflated ({exc})",
                    rule="RFC 7692 section 7.2.2",
                    offset=offset,
                ) from exc
            data = decompressor.unconsumed_tail
            if decompressor.eof:
                # A final block ends a stream, not the message (section 7.2.3.4).
                data = decompressor.unused_data
                self._is_open = False
                self._reset()

    def finish(self, offset: int) -> Iterator[bytes]:
        """Inflate the end of a message; arguments and errors as in ``inflate``."""
        if self._is_open:
            yield from self.inflate(_TAIL, offset)
            self._is_open = False
        if self._is_fresh_each_time:
            self._reset()

    def _reset(self) -> None:
        self._decompressor = self._backend.decompressobj(self._wbits)
