"""Messages that have come and that nobody has received yet.

Messages come in from the link as they arrive, and go out to one reader in that order;
after the last one, the reason why no more come. When too much is waiting, the link is
asked to stop reading.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    import asyncio

    # The numbers of WSMsgType, data and extra: what becomes a message when received.
    Item = tuple[int, Any, str | None]

# What a message costs besides its payload, so that many small ones count as well.
_OVERHEAD_BYTES: Final = 128
DEFAULT_LIMIT_BYTES: Final = 2**18


class Source(Protocol):
    """Who brings the messages."""

    def pause_reading(self) -> None:
        """Bring no more for now."""
        ...

    def resume_reading(self) -> None:
        """Bring them again."""
        ...


class Inbox:
    """A queue with one reader.

    Args:
        loop: The loop of the reader.
        limit: Bytes that may wait before the source is paused. It is resumed when the
            inbox is empty, which costs less to know than the size of what is left.

    Attributes:
        messages: What waits. The source appends to it and says so with ``arrived``. The
            reader may take from it without waiting, and calls ``emptied`` when it took
            the last.
        is_paused: Whether the source is paused.
    """

    __slots__ = (
        "_failure",
        "_limit",
        "_loop",
        "_size",
        "_source",
        "_waiter",
        "is_paused",
        "messages",
    )

    def __init__(
        self,
        source: Source,
        loop: asyncio.AbstractEventLoop,
        limit: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.messages: deque[Item] = deque()
        self.is_paused = False
        self._source = source
        self._loop = loop
        self._limit = limit
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None

    def put(self, item: Item) -> None:
        """Add a message of our own."""
        self.messages.append(item)
        self._wake()

    def arrived(self, count: int, size: int) -> None:
        """Hear how much was brought, after messages were appended.

        Args:
            count: How many are new.
            size: Bytes that came, of these and of one that is not complete.
        """
        self._size += size
        if not count:
            return
        self._wake()
        self._size += count * _OVERHEAD_BYTES
        if self._size > self._limit and not self.is_paused:
            self.is_paused = True
            self._source.pause_reading()

    def fail(self, failure: Exception) -> None:
        """Say why no more will come; only the first reason counts."""
        if self._failure is None:
            self._failure = failure
            self._wake()

    def emptied(self) -> None:
        """Hear that the last message was taken."""
        self._size = 0
        if self.is_paused:
            self.is_paused = False
            self._source.resume_reading()

    async def read(self) -> Item:
        """Wait for a message and take it; one reader at a time.

        Raises:
            Exception: None will come; what ``fail`` was given.
        """
        messages = self.messages
        while not messages:
            if self._failure is not None:
                raise self._failure
            self._waiter = waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                self._waiter = None
        message = messages.popleft()
        if not messages:
            self.emptied()
        return message

    def _wake(self) -> None:
        waiter = self._waiter
        # The message stays in the queue, so a reader cancelled now does not lose it.
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
