"""The body of a response as its reader sees it.

Decoded pieces come from the buffer below, bytes go out in the sizes the reader asks
for. It must not know how they arrive.
"""

from __future__ import annotations

import asyncio
import warnings
from typing import Self

from windtunnel._body.stream_buffer import STEP_BYTES, StreamBuffer
from windtunnel.errors import ClientPayloadError


class StreamReader(StreamBuffer):
    """Reads the body of one response; only one coroutine may wait at a time.

    Compat: aiohttp's StreamReader. A piece that arrived is never lost when a read is
    cancelled: it goes back into the buffer.
    """

    __slots__ = ()

    # --- reading --------------------------------------------------------------------

    async def read(self, n: int = -1) -> bytes:
        """Read the whole rest, or at most ``n`` bytes as soon as there are any.

        Asking for more bytes than the buffer holds makes it larger.

        Raises:
            ClientPayloadError: The body broke off or cannot be decoded; ``partial``
                of the error is what this call had read until then.
        """
        if n > 0:
            if n > self._low:
                self.set_read_chunk_size(n)
            return self._pop(n) if await self._more("read") else b""
        if n == 0:
            return b""
        pieces: list[bytes] = []
        try:
            while await self._more("read"):
                pieces.append(self._pop(STEP_BYTES))
        except ClientPayloadError as exc:
            exc.partial = b"".join(pieces)
            raise
        except BaseException:
            self._put_back(pieces)
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def readany(self) -> bytes:
        """Read what is there, waiting only for the first piece; b"" at the end."""
        return self._pop(STEP_BYTES) if await self._more("readany") else b""

    async def readexactly(self, n: int) -> bytes:
        """Read exactly ``n`` bytes.

        Raises:
            asyncio.IncompleteReadError: The body ended before; it has the rest.
            ValueError: ``n`` is negative.
        """
        if n < 0:
            msg = f"readexactly size {n} is negative, allowed are 0 and more"
            raise ValueError(msg)
        pieces: list[bytes] = []
        missing = n
        try:
            while missing:
                if not await self._more("readexactly"):
                    raise asyncio.IncompleteReadError(b"".join(pieces), n)
                pieces.append(self._pop(missing))
                missing -= len(pieces[-1])
        except asyncio.IncompleteReadError:
            raise
        except ClientPayloadError as exc:
            exc.partial = b"".join(pieces)
            raise
        except BaseException:
            self._put_back(pieces)
            raise
        return b"".join(pieces)

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        r"""Read up to and with the next ``\n``; the rest of the body if there is none.

        Raises:
            LineTooLong: No line end within ``max_line_length`` bytes; without it,
                within twice the stream's limit. Nothing is consumed.
        """
        return await self.readuntil(b"\n", max_size=max_line_length)

    async def readuntil(
        self, separator: bytes = b"\n", *, max_size: int | None = None
    ) -> bytes:
        """Read up to and with ``separator``; the rest of the body if there is none.

        Raises:
            LineTooLong: No separator within ``max_size`` bytes.
            ValueError: The separator is empty.
        """
        if not separator:
            msg = "separator b'' is empty, allowed is one byte or more"
            raise ValueError(msg)
        limit = 2 * self._low if max_size is None else max_size
        line = bytearray()
        try:
            while await self._more("readuntil"):
                searched = max(len(line) - len(separator) + 1, 0)
                piece = self._pop(STEP_BYTES)
                line += piece
                found = line.find(separator, searched)
                end = len(line) if found < 0 else found + len(separator)
                if end > limit:
                    raise _too_long(bytes(line), limit)
                if found >= 0:
                    if end < len(line):
                        self._put_back([bytes(line[end:])])
                    return bytes(line[:end])
        except ClientPayloadError as exc:
            exc.partial = bytes(line)
            raise
        except BaseException:
            self._put_back([bytes(line)])
            raise
        return bytes(line)

    async def readchunk(self) -> tuple[bytes, bool]:
        """Read the data of an HTTP chunk as it was sent, or a part of it.

        Returns:
            Data, and whether a chunk of the wire ended with it. (b"", False) is the
            end of the body; (b"", True) is not. Decoded bodies and bodies without
            chunks give pieces of any size with False.
        """
        while True:
            ends = self._ends
            if ends and ends[0] <= self._taken:
                ends.popleft()
                return b"", True
            if not await self._more("readchunk"):
                return b"", False
            if not self._ready:
                continue
            ends = self._ends
            if not ends:
                return self._pop(STEP_BYTES), False
            data = self._pop(max(ends[0] - self._taken, 1))
            is_end = ends[0] == self._taken
            if is_end:
                ends.popleft()
            return data, is_end

    def read_nowait(self, n: int = -1) -> bytes:
        """Read what is there without waiting, at most ``n`` bytes if given.

        Raises:
            RuntimeError: A coroutine waits for data.
            ClientPayloadError: What is there cannot be decoded.
        """
        if self._exception is not None:
            raise self._exception
        if self._waiter is not None:
            msg = "read_nowait() called while a coroutine is waiting for data"
            raise RuntimeError(msg)
        pieces: list[bytes] = []
        while n != 0:
            decoder = self._decoder
            while not self._ready and decoder and (self._encoded or decoder.pending):
                self._decode_step(decoder)
                decoder = self._decoder
            if not self._ready:
                if not pieces and (failure := self.exception()) is not None:
                    raise failure
                break
            pieces.append(self._pop(n if n > 0 else STEP_BYTES))
            n -= len(pieces[-1]) if n > 0 else 0
        return b"".join(pieces)

    def unread_data(self, data: bytes) -> None:
        """Put data back, to be read first; deprecated."""
        warnings.warn(
            "unread_data() is deprecated: keep what was read too much",
            DeprecationWarning,
            stacklevel=2,
        )
        if data:
            self._put_back([data])
            if self._waiter is not None:
                self._wake()

    # --- iterating ------------------------------------------------------------------

    def iter_chunked(self, n: int) -> AsyncStreamIterator:
        """Iterate over pieces of at most ``n`` bytes.

        Raises:
            ValueError: ``n`` is not positive.
        """
        if n < 1:
            msg = f"piece size {n} is not positive"
            raise ValueError(msg)
        self.set_read_chunk_size(n)
        return AsyncStreamIterator(self, n)

    def iter_any(self) -> AsyncStreamIterator:
        """Iterate over pieces as they arrive."""
        return AsyncStreamIterator(self, STEP_BYTES)

    def iter_chunks(self) -> ChunkTupleAsyncStreamIterator:
        """Iterate over what ``readchunk`` gives."""
        return ChunkTupleAsyncStreamIterator(self)

    def __aiter__(self) -> Self:
        """Iterate over lines."""
        return self

    async def __anext__(self) -> bytes:
        """Give the next line with its line end."""
        if line := await self.readline():
            return line
        raise StopAsyncIteration


def _too_long(line: bytes, limit: int) -> Exception:
    """Make the error of a long line; rare, so that its module is loaded only here."""
    from windtunnel.errors.http import LineTooLong

    return LineTooLong(line[:40], limit)


class AsyncStreamIterator:
    """Pieces of a stream; a class, because a generator costs more per piece."""

    __slots__ = ("_limit", "_stream")

    def __init__(self, stream: StreamReader, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        stream, limit = self._stream, self._limit
        if piece := stream.take_ready(limit) or await stream.read(limit):
            return piece
        raise StopAsyncIteration


class ChunkTupleAsyncStreamIterator:
    """The HTTP chunks of a stream, each with whether it is complete."""

    __slots__ = ("_stream",)

    def __init__(self, stream: StreamReader) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[bytes, bool]:
        item = await self._stream.readchunk()
        if item == (b"", False):
            raise StopAsyncIteration
        return item
