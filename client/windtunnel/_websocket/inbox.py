"""Messages that have come and that nobody has received yet.

Messages come in from the link as they arrive, and go out to one reader in that order;
after the last one, the reason why no more come. When too much is waiting, the link is
asked to stop reading.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import asyncio

    from windtunnel._websocket.messages import WSMessage, WSMessageTextBytes

    Message = WSMessage | WSMessageTextBytes

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
        messages: What waits. The reader may take from it without waiting, and calls
            ``emptied`` when it took the last.
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
        self.messages: deque[Message] = deque()
        self.is_paused = False
        self._source = source
        self._loop = loop
        self._limit = limit
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None

    def put(self, message: Message, size: int = 0) -> None:
        """Add a message.

        Args:
            message: The message.
            size: Bytes of its payload.
        """
        self.messages.append(message)
        self._wake()
        self._size = size = self._size + size + _OVERHEAD_BYTES
        if size > self._limit and not self.is_paused:
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

    async def read(self) -> Message:
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
