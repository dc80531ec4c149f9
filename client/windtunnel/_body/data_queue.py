"""A queue of items with an end.

Items come in from a producer, out to one reader; it must not know what they are.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from windtunnel._base.compat import override
from windtunnel._base.typedefs import NO_CAUSE
from windtunnel.errors import EofStream

if TYPE_CHECKING:
    import asyncio

    from windtunnel._body.stream_buffer import StreamSource

__all__ = ("DataQueue", "EofStream", "FlowControlDataQueue")

T = TypeVar("T")


class DataQueue(Generic[T]):
    """Items for one reader.

    Args:
        loop: The event loop.

    Compat: aiohttp's DataQueue.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[tuple[T, int]] = deque()
        self._is_eof = False
        self._waiter: asyncio.Future[None] | None = None
        self._exception: BaseException | type[BaseException] | None = None
        self._size = 0

    def __len__(self) -> int:
        return len(self._items)

    def is_eof(self) -> bool:
        """Say whether the producer has given everything."""
        return self._is_eof

    def at_eof(self) -> bool:
        """Say whether the reader has taken everything."""
        return self._is_eof and not self._items

    def exception(self) -> BaseException | type[BaseException] | None:
        """Return what the reader gets raised after the items, None for nothing."""
        return self._exception

    def set_exception(
        self,
        exc: BaseException | type[BaseException],
        exc_cause: BaseException = NO_CAUSE,
    ) -> None:
        """End the queue with an exception."""
        if isinstance(exc, BaseException) and exc_cause is not NO_CAUSE:
            exc.__cause__ = exc_cause
        self._is_eof = True
        self._exception = exc
        self._wake()

    def feed_data(self, data: T, size: int = 0) -> None:
        """Add an item of ``size`` bytes."""
        self._size += size
        self._items.append((data, size))
        self._wake()

    def feed_eof(self) -> None:
        """End the queue."""
        self._is_eof = True
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def read(self) -> T:
        """Take the next item.

        Raises:
            EofStream: There are no more.
            RuntimeError: Another coroutine is waiting.
        """
        if not self._items and not self._is_eof:
            if self._waiter is not None:
                msg = "read() called while another coroutine is already waiting"
                raise RuntimeError(msg)
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._items:
            data, size = self._items.popleft()
            self._size -= size
            return data
        raise EofStream if self._exception is None else self._exception

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.read()
        except EofStream:
            raise StopAsyncIteration from None


class FlowControlDataQueue(DataQueue[Any]):
    """A queue that pauses its source above twice ``limit`` bytes.

    Compat: deprecated in aiohttp.
    """

    def __init__(
        self,
        protocol: StreamSource,
        limit: int,
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        warnings.warn(
            "FlowControlDataQueue is deprecated", DeprecationWarning, stacklevel=2
        )
        super().__init__(loop)
        self._source = protocol
        self._limit = limit * 2
        self._is_paused = False

    @override
    def feed_data(self, data: Any, size: int = 0) -> None:
        """Add an item of ``size`` bytes; pause the source if that is enough."""
        super().feed_data(data, size)
        if self._size > self._limit and not self._is_paused:
            self._is_paused = True
            self._source.pause_reading()

    @override
    async def read(self) -> Any:
        """Take the next item; see ``DataQueue.read``."""
        try:
            return await super().read()
        finally:
            if self._is_paused and self._size < self._limit:
                self._is_paused = False
                self._source.resume_reading()
