"""How much of a request's body has been sent, for whoever shows it to a person.

The pieces of the body pass by here on their way out; numbers and a future come out.
Requests that nobody tracks have none of this.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from windtunnel._base.compat import override
from windtunnel._body.payload_base import Payload
from windtunnel._transport.upload import slices
from windtunnel.errors import UploadAbortedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from windtunnel._body.payload_base import PayloadWriter

__all__ = ("TrackedPayload", "UploadTracker")


class UploadTracker:
    """Shows how far the upload of one request is, while it runs.

    Make one inside a running event loop, and give it to one request as
    ``upload_tracker``.

    Attributes:
        attempts: How often sending began; redirects and repetitions count.
        upload_complete: Is done when nothing more will be sent: with None if the whole
            body was, with the error that the body failed with, or with an
            ``UploadAbortedError`` if the rest was not wanted or could not be sent.

    Raises:
        RuntimeError: No event loop is running.

    Compat: aiohttp's UploadTracker.
    """

    def __init__(self) -> None:
        self.attempts = 0
        self.upload_complete: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
        )
        self._is_bound = False
        self._is_empty = True
        self._is_whole = False
        self._handed = 0
        self._written = 0
        self._failure: BaseException | None = None
        self._unsent: Callable[[], int | None] | None = None

    @property
    def bytes_written(self) -> int:
        """Bytes of the body, before any coding, that the operating system has taken."""
        self.refresh()
        return self._written

    # --- for the client's own layers ------------------------------------------------

    def bind(self) -> None:
        """Take it for a request.

        Raises:
            RuntimeError: Another one has it.
        """
        if self._is_bound:
            msg = "UploadTracker is already bound to a request; each needs its own"
            raise RuntimeError(msg)
        self._is_bound = True

    def begin(self, *, has_body: bool) -> None:
        """Hear that an attempt begins."""
        self.attempts += 1
        self._is_empty = not has_body
        self._is_whole = False
        self._handed = self._written = 0
        self._failure = None

    def watch(self, unsent: Callable[[], int | None]) -> None:
        """Hear where the body goes.

        Args:
            unsent: Counts the bytes that wait there, None if they are lost.
        """
        self._unsent = unsent

    def hand(self, size: int) -> None:
        """Hear that so many bytes are being handed over."""
        self._handed += size

    def refresh(self) -> None:
        """Look how much of what was handed over is gone."""
        unsent = None if self._unsent is None else self._unsent()
        if unsent is not None:
            # What waits in the transport is the end of what was handed over.
            self._written = max(self._written, self._handed - unsent)

    def fail(self, failure: BaseException) -> None:
        """Hear that the body broke off."""
        self._failure = failure

    def end(self, *, is_whole: bool) -> None:
        """Hear that the attempt sends nothing more."""
        self._is_whole = is_whole
        self._unsent = None
        if is_whole:
            self._written = self._handed

    def finish(
        self, task: asyncio.Task[Any] | None, error: BaseException | None
    ) -> None:
        """Hear that the call is over, but for the sending of its last body.

        Args:
            task: What still sends, None if nothing does.
            error: What the call failed with.
        """
        if self._is_empty and error is None:
            self._is_whole = True
        if task is None or task.done():
            self._settle(error)
        else:
            task.add_done_callback(lambda _: self._settle(error))

    def _settle(self, error: BaseException | None) -> None:
        future, failure = self.upload_complete, self._failure
        if future.done():
            return
        if self._is_whole:
            future.set_result(None)
            return
        if failure is None:
            failure = UploadAbortedError("The request body was not sent to its end")
        elif error is not None and error.__cause__ is failure:
            failure = error
        future.set_exception(failure)
        # Most callers look at the numbers only; that is no reason to complain.
        future.exception()


class TrackedPayload(Payload):
    """Another payload, whose pieces are counted.

    Args:
        payload: What is sent.
        tracker: Who counts.
    """

    def __init__(self, payload: Payload, tracker: UploadTracker) -> None:
        super().__init__(payload, payload.headers, encoding=payload.encoding)
        self.replayable = payload.replayable
        self._size = payload.size
        self._tracker = tracker

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        text: str = self._value.decode(encoding, errors)
        return text

    @override
    async def pieces(self) -> AsyncIterator[bytes]:
        tracker, payload = self._tracker, self._value
        pieces = payload.pieces() if payload.body is None else slices(payload.body)
        try:
            async for piece in pieces:
                tracker.hand(len(piece))
                yield piece
                tracker.refresh()
        except Exception as exc:
            tracker.fail(exc)
            raise
        finally:
            aclose = getattr(pieces, "aclose", None)
            if aclose is not None:
                await aclose()

    @override
    async def write(self, writer: PayloadWriter) -> None:
        await self._write_pieces(writer, None)

    @property
    @override
    def closes(self) -> bool:
        return bool(self._value.closes)

    @override
    async def close(self) -> None:
        await self._value.close()
