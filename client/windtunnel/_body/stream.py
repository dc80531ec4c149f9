"""The body of a response while it arrives: pieces in, bytes for one reader out.

In come encoded pieces from the connection (``feed``, ``feed_eof``, ``fail``) or from
whoever built the reader (``feed_data`` and so on); out go decoded bytes in the sizes the
reader asks for. What is kept is *encoded*: it is decoded in bounded steps when somebody
reads, so that a small body cannot become a large buffer. It must not know where the
bytes come from, only that the source can be paused.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Protocol, Self

from windtunnel._body.decoders import DecodeError
from windtunnel.errors import ClientPayloadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from windtunnel._body.decoders import Decoder

# One decoding step gives at most so much, and small pieces are joined up to it.
STEP_BYTES = 65536


class LineTooLong(ValueError):
    """A line is longer than the reader allows."""


class StreamSource(Protocol):
    """What a stream needs of the connection that feeds it."""

    def pause_reading(self) -> None:
        """Stop feeding; the stream has enough."""
        ...

    def resume_reading(self) -> None:
        """Feed again."""
        ...


class StreamReader:
    """Reads the body of one response; only one coroutine may wait at a time.

    Args:
        protocol: The source, paused above twice ``limit`` and resumed below it.
        limit: Bytes that may lie in the buffer before the source is asked to pause.
        timer: Accepted and not used; the connection owns the deadlines.
        loop: The running loop if not given.

    Compat: aiohttp's StreamReader. A piece that arrived is never lost when a read is
    cancelled: it goes back into the buffer.
    """

    __slots__ = (
        "__weakref__",
        "_buffered",
        "_decoder",
        "_encoded",
        "_ends",
        "_eof",
        "_exception",
        "_explain",
        "_failure",
        "_loop",
        "_low",
        "_many",
        "_paused",
        "_ready",
        "_source",
        "_taken",
        "_waiter",
        "total_bytes",
    )

    def __init__(
        self,
        protocol: StreamSource,
        limit: int,
        *,
        timer: object = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._source: StreamSource | None = protocol
        self._low = limit
        # Many tiny pieces weigh more than their bytes.
        self._many = max(limit // 16, 16)
        self._loop = loop
        self._ready: deque[bytes] = deque()
        self._encoded: deque[bytes] = deque()
        self._decoder: Decoder | None = None
        self._buffered = 0
        self._eof = False
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._exception: BaseException | None = None
        self._failure: BaseException | None = None
        self._explain: Callable[[BaseException], BaseException] | None = None
        # Ends of HTTP chunks, counted in decoded bytes; None until a chunk is fed.
        self._ends: deque[int] | None = None
        self._taken = 0
        self.total_bytes = 0

    def __repr__(self) -> str:
        state = "eof" if self._eof else "open"
        return f"<{type(self).__name__} {self._buffered} bytes buffered, {state}>"

    # --- the producer's side --------------------------------------------------------

    def decode_with(self, decoder: Decoder) -> None:
        """Undo a content coding; call it before the first piece is fed."""
        self._decoder = decoder

    def explain_with(self, explain: Callable[[BaseException], BaseException]) -> None:
        """Translate failures of the source and of the decoder for the reader."""
        self._explain = explain

    def feed(self, piece: bytes) -> None:
        """Add the next piece; pause the source if that is enough."""
        if not piece:
            return
        if self._decoder is None:
            self._ready.append(piece)
            self.total_bytes += len(piece)
            pieces = self._ready
        else:
            self._encoded.append(piece)
            pieces = self._encoded
        self._buffered += len(piece)
        if (
            self._buffered > 2 * self._low or len(pieces) > self._many
        ) and not self._paused:
            self._pause()
        if self._waiter is not None:
            self._wake()

    def feed_chunk(self, piece: bytes, is_end: bool) -> None:
        """Add data of an HTTP chunk, and say whether it ends that chunk."""
        self.feed(piece)
        if is_end and self._decoder is None:
            if self._ends is None:
                self._ends = deque()
            self._ends.append(self.total_bytes)

    def feed_eof(self) -> None:
        """Say that the body is complete and the source gone."""
        self._eof = True
        self._source = None
        if self._waiter is not None:
            self._wake()

    def fail(self, failure: BaseException) -> None:
        """Say that the body broke off: the reader gets what came, then the failure."""
        self._source = None
        if self._exception is None and self._failure is None and not self._eof:
            self._failure = failure
            if self._waiter is not None:
                self._wake()

    def set_exception(self, exc: BaseException, exc_cause: object = None) -> None:
        """Make every read raise, also with data in the buffer."""
        if isinstance(exc_cause, BaseException):
            exc.__cause__ = exc_cause
        self._source = None
        self._exception = exc
        if self._waiter is not None:
            self._wake()

    def feed_data(self, data: bytes, size: int = 0) -> None:
        """Compat: the name of ``feed`` in aiohttp."""
        self.feed(bytes(data))

    def _pause(self) -> None:
        if self._source is not None:
            self._paused = True
            self._source.pause_reading()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # --- what can be asked without waiting ------------------------------------------

    def exception(self) -> BaseException | None:
        """Return what reads raise, None if nothing went wrong so far."""
        if self._exception is None and self._failure is not None:
            return self._explained(self._failure)
        return self._exception

    def is_eof(self) -> bool:
        """Say whether the body has arrived completely, read or not."""
        return self._eof

    def at_eof(self) -> bool:
        """Say whether everything was read."""
        if not self._eof or self._ready or self._encoded:
            return False
        return self._decoder is None or not self._decoder.pending

    # --- getting pieces -------------------------------------------------------------

    async def _more(self, method: str) -> bool:
        """Put at least one piece into ``_ready``; say False at the end of the body."""
        while True:
            if self._exception is not None:
                raise self._exception
            if self._ready:
                return True
            if self._decoder is not None and (self._encoded or self._decoder.pending):
                self._decode_step(self._decoder)
            elif self._failure is not None:
                raise self._settle(self._failure)
            elif self._eof:
                self._finish_decoding()
                return False
            else:
                await self._wait(method)

    async def _wait(self, method: str) -> None:
        if self._waiter is not None:
            msg = f"{method}() called while another coroutine is already waiting"
            raise RuntimeError(msg)
        if self._source is None:
            msg = "Connection closed."
            raise RuntimeError(msg)
        self._resume()
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        try:
            await waiter
        finally:
            self._waiter = None

    def _resume(self) -> None:
        few = len(self._encoded) + len(self._ready) <= self._many // 2
        if self._paused and few and self._buffered < max(self._low, 1):
            self._paused = False
            if self._source is not None:
                self._source.resume_reading()

    def _decode_step(self, decoder: Decoder) -> None:
        """Decode a bounded amount; a step may give nothing."""
        data = b""
        if not decoder.pending:
            data = self._encoded.popleft()
            self._buffered -= len(data)
        try:
            piece = decoder.decode(data, STEP_BYTES)
        except DecodeError as exc:
            self._encoded.clear()
            self._failure = exc
            self._decoder = None
            return
        if piece:
            self._ready.append(piece)
            self._buffered += len(piece)
            self.total_bytes += len(piece)

    def _finish_decoding(self) -> None:
        if self._decoder is not None:
            try:
                self._decoder.finish()
            except DecodeError as exc:
                raise self._settle(exc) from exc
            self._decoder = None

    def _explained(self, failure: BaseException) -> BaseException:
        explain = self._explain
        return failure if explain is None else explain(failure)

    def _settle(self, failure: BaseException) -> BaseException:
        """Make the failure what every further read raises."""
        self._exception = exc = self._explained(failure)
        return exc

    def _pop(self, limit: int) -> bytes:
        """Take up to ``limit`` bytes, whole pieces if possible; one must be there."""
        ready = self._ready
        piece = ready.popleft()
        size = len(piece)
        if size > limit:
            ready.appendleft(piece[limit:])
            piece = piece[:limit]
            size = limit
        elif ready and size + len(ready[0]) <= limit:
            pieces = [piece]
            while ready and size + len(ready[0]) <= limit:
                pieces.append(ready.popleft())
                size += len(pieces[-1])
            piece = b"".join(pieces)
        self._taken += size
        self._buffered -= size
        if self._paused:
            self._resume()
        return piece

    def _put_back(self, pieces: list[bytes]) -> None:
        """Undo reads that did not lead to a result, newest first."""
        for piece in reversed(pieces):
            self._ready.appendleft(piece)
            self._taken -= len(piece)
            self._buffered += len(piece)

    # --- reading --------------------------------------------------------------------

    async def read(self, n: int = -1) -> bytes:
        """Read the whole rest, or at most ``n`` bytes as soon as there are any.

        Raises:
            ClientPayloadError: The body broke off or cannot be decoded; ``partial``
                of the error is what this call had read until then.
        """
        if n > 0:
            if self._ready and self._exception is None:
                return self._pop(n)
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
                    msg = f"no {separator!r} within {limit} bytes of the body"
                    raise LineTooLong(msg)
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
        ends = self._ends
        while True:
            if ends and ends[0] <= self._taken:
                ends.popleft()
                return b"", True
            if not await self._more("readchunk"):
                return b"", False
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
                break
            pieces.append(self._pop(n if n > 0 else STEP_BYTES))
            n -= len(pieces[-1]) if n > 0 else 0
        return b"".join(pieces)

    # --- iterating ------------------------------------------------------------------

    def iter_chunked(self, n: int) -> AsyncStreamIterator:
        """Iterate over pieces of at most ``n`` bytes.

        Raises:
            ValueError: ``n`` is not positive.
        """
        if n < 1:
            msg = f"piece size {n} is not positive"
            raise ValueError(msg)
        return AsyncStreamIterator(partial(self.read, n))

    def iter_any(self) -> AsyncStreamIterator:
        """Iterate over pieces as they arrive."""
        return AsyncStreamIterator(self.readany)

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Iterate over what ``readchunk`` gives."""
        while (item := await self.readchunk()) != (b"", False):
            yield item

    def __aiter__(self) -> Self:
        """Iterate over lines."""
        return self

    async def __anext__(self) -> bytes:
        """Give the next line with its line end."""
        if line := await self.readline():
            return line
        raise StopAsyncIteration


class AsyncStreamIterator:
    """Pieces of a stream; a class, because a generator costs more per piece."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Awaitable[bytes]]) -> None:
        self._read = read

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if piece := await self._read():
            return piece
        raise StopAsyncIteration
