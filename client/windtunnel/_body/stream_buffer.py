"""What has arrived of a body and was not read yet, still encoded.

In come encoded pieces from the connection (``feed``, ``feed_eof``, ``fail``); out go
decoded pieces, made in bounded steps when somebody reads, so that a small body cannot
become a large buffer. It must not know where the bytes come from, only that the source
can be paused, nor in which sizes they are read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from windtunnel._base.compat import override
from windtunnel._base.typedefs import NO_CAUSE
from windtunnel._body.decoders import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel._body.decoders import Decoder

# One decoding step gives at most so much, and small pieces are joined up to it.
STEP_BYTES = 65536
# After so many reads at the end of a body something is wrong with the program.
_MANY_READS = 6


class StreamSource(Protocol):
    """What a stream needs of the connection that feeds it."""

    def pause_reading(self) -> None:
        """Stop feeding; the stream has enough."""
        ...

    def resume_reading(self) -> None:
        """Feed again."""
        ...


class _EndWatch:
    """Who waits for the end of a stream rather than for its data."""

    __slots__ = ("callbacks", "waiter")

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], object]] = []
        self.waiter: asyncio.Future[None] | None = None

    def settle(self) -> None:
        """Wake who waits; what went wrong, if anything, is in the stream."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class StreamBuffer:
    """The buffer between one source and one reader.

    Args:
        protocol: The source, paused above twice ``limit`` and resumed below it.
        limit: Bytes that may lie in the buffer before the source is asked to pause.
        timer: Accepted and not used; the connection owns the deadlines.
        loop: The running loop if not given.

    Attributes:
        total_bytes: Decoded bytes so far.
        total_compressed_bytes: Encoded bytes so far, None if there is no coding.
    """

    __slots__ = (
        "__weakref__",
        "_buffered",
        "_decoder",
        "_encoded",
        "_end_watch",
        "_ends",
        "_eof",
        "_exception",
        "_explain",
        "_failure",
        "_loop",
        "_low",
        "_many",
        "_paused",
        "_reads_at_end",
        "_ready",
        "_source",
        "_taken",
        "_waiter",
        "total_bytes",
        "total_compressed_bytes",
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
        self._limit_to(limit)
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
        self._end_watch: _EndWatch | None = None
        self._reads_at_end = 0
        self.total_bytes = 0
        self.total_compressed_bytes: int | None = None

    @override
    def __repr__(self) -> str:
        state = "eof" if self._eof else "open"
        return f"<{type(self).__name__} {self._buffered} bytes buffered, {state}>"

    @property
    def total_raw_bytes(self) -> int:
        """Bytes so far as they arrived, before a coding was undone."""
        raw = self.total_compressed_bytes
        return self.total_bytes if raw is None else raw

    # --- how much may lie here ------------------------------------------------------

    def get_read_buffer_limits(self) -> tuple[int, int]:
        """Return below how many bytes reading resumes, and above how many it pauses."""
        return self._low, 2 * self._low

    def set_read_chunk_size(self, n: int) -> None:
        """Let so much lie in the buffer that reads of ``n`` bytes can be satisfied."""
        if n > self._low:
            self._limit_to(n)

    def _limit_to(self, limit: int) -> None:
        self._low = limit
        # Many tiny pieces weigh more than their bytes.
        self._many = max(limit // 16, 16)

    # --- the producer's side --------------------------------------------------------

    def decode_with(self, decoder: Decoder) -> None:
        """Undo a content coding; call it before anything is read."""
        self._decoder = decoder
        # What arrived so far was taken for plain data.
        self._encoded, self._ready = self._ready, self._encoded
        self._ends = None
        self.total_compressed_bytes = self.total_bytes
        self.total_bytes = 0

    def explain_with(self, explain: Callable[[BaseException], BaseException]) -> None:
        """Translate failures of the source and of the decoder for the reader."""
        self._explain = explain
        if self._exception is not None:
            self._exception = explain(self._exception)

    def feed(self, piece: bytes) -> None:
        """Add the next piece; pause the source if that is enough."""
        if piece:
            self.feed_pieces([piece], len(piece))

    def feed_pieces(self, added: list[bytes], size: int) -> None:
        """Add several pieces, none of them empty, with ``size`` bytes in all."""
        if self._decoder is None:
            self.total_bytes += size
            pieces = self._ready
        else:
            pieces = self._encoded
            self.total_compressed_bytes = self.total_raw_bytes + size
        pieces.extend(added)
        self._buffered += size
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
            if self._waiter is not None:
                self._wake()

    def _is_chunk_over(self) -> bool:
        ends = self._ends
        return ends is not None and bool(ends) and ends[0] <= self._taken

    def begin_http_chunk_receiving(self) -> None:
        """Say that an HTTP chunk begins, for ``readchunk``.

        Raises:
            RuntimeError: Data came before the first chunk.
        """
        if self._ends is None:
            if self.total_bytes:
                msg = "begin_http_chunk_receiving() after data that is in no chunk"
                raise RuntimeError(msg)
            self._ends = deque()

    def end_http_chunk_receiving(self) -> None:
        """Say that the HTTP chunk ends; one without data does not count.

        Raises:
            RuntimeError: No chunk has begun.
        """
        if self._ends is None:
            msg = "end_http_chunk_receiving() without begin_http_chunk_receiving()"
            raise RuntimeError(msg)
        if self.total_bytes > (self._ends[-1] if self._ends else 0):
            self._ends.append(self.total_bytes)
            if self._waiter is not None:
                self._wake()

    def feed_eof(self) -> None:
        """Say that the body is complete and the source gone."""
        self._eof = True
        self._source = None
        if self._waiter is not None:
            self._wake()
        if self._end_watch is not None:
            self._tell_end(self._end_watch)

    def fail(self, failure: BaseException) -> None:
        """Say that the body broke off: the reader gets what came, then the failure."""
        self._source = None
        if self._exception is None and self._failure is None and not self._eof:
            self._failure = failure
            if self._waiter is not None:
                self._wake()
            if self._end_watch is not None:
                self._end_watch.settle()

    def set_exception(
        self, exc: BaseException, exc_cause: BaseException = NO_CAUSE
    ) -> None:
        """Make every read raise, also with data in the buffer; the first one counts."""
        if self._exception is not None:
            return
        if exc_cause is not NO_CAUSE:
            exc.__cause__ = exc_cause
        self._source = None
        self._exception = self._explained(exc)
        if self._waiter is not None:
            self._wake()
        if self._end_watch is not None:
            self._end_watch.settle()

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

    # --- the end --------------------------------------------------------------------

    def on_eof(self, callback: Callable[[], object]) -> None:
        """Have a function called when the body has arrived completely, read or not.

        It is called at once if that is so. What it raises goes to the loop's handler
        of exceptions. If the body breaks off it is not called.
        """
        watch = self._end_watch
        if watch is None:
            watch = self._end_watch = _EndWatch()
        watch.callbacks.append(callback)
        if self._eof:
            self._tell_end(watch)

    def _tell_end(self, watch: _EndWatch) -> None:
        watch.settle()
        if self.exception() is not None:
            return
        callbacks, watch.callbacks = watch.callbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception as exc:  # noqa: BLE001  # it is the user's
                loop = self._loop or asyncio.get_running_loop()
                loop.call_exception_handler(
                    {"message": "Exception in eof callback", "exception": exc}
                )

    async def wait_eof(self) -> None:
        """Wait until the body has arrived completely, read or not.

        Raises:
            ClientPayloadError: It broke off.
            RuntimeError: Another coroutine waits for it already.
        """
        watch = self._end_watch
        if watch is None:
            watch = self._end_watch = _EndWatch()
        if watch.waiter is not None:
            msg = "wait_eof() called while another coroutine is already waiting for it"
            raise RuntimeError(msg)
        while not self._eof:
            if (failure := self.exception()) is not None:
                raise failure
            watch.waiter = asyncio.get_running_loop().create_future()
            try:
                await watch.waiter
            finally:
                watch.waiter = None

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
        """Put at least one piece into ``_ready``; say False at the end of the body.

        ``readchunk`` is also woken by the end of a chunk that it has read.
        """
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
                self._reads_at_end += 1
                if self._reads_at_end > _MANY_READS:
                    self._warn_of_loop()
                return False
            else:
                await self._wait(method)
                if method == "readchunk" and self._is_chunk_over():
                    return True

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
            # At once: what arrives from now on is of no use to anybody.
            self._encoded.clear()
            self._decoder = None
            self._settle(exc)
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

    def _warn_of_loop(self) -> None:
        """Tell who reads on and on after the end. Compat: aiohttp does."""
        from logging import getLogger

        getLogger("windtunnel.internal").warning(
            "a body was read %d times after its end; is there an endless loop?",
            self._reads_at_end,
            stack_info=True,
        )

    def _explained(self, failure: BaseException) -> BaseException:
        explain = self._explain
        return failure if explain is None else explain(failure)

    def _settle(self, failure: BaseException) -> BaseException:
        """Make the failure what every further read raises."""
        self._exception = exc = self._explained(failure)
        return exc

    def take_ready(self, limit: int) -> bytes:
        """Take up to ``limit`` bytes that are there and decoded, often none."""
        return self._pop(limit) if self._ready and self._exception is None else b""

    def _pop(self, limit: int) -> bytes:
        """Take up to ``limit`` bytes, whole pieces if possible; one must be there."""
        ready = self._ready
        piece = ready.popleft()
        size = len(piece)
        if size > limit:
            ready.appendleft(piece[limit:])
            piece = piece[:limit]
            size = limit
        elif size < limit and ready and size + len(ready[0]) <= limit:
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
            if not piece:
                # An empty piece would look like the end of the body.
                continue
            self._ready.appendleft(piece)
            self._taken -= len(piece)
            self._buffered += len(piece)
