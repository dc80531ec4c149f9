"""The request reader: bytes of one connection in, recorded requests out. No I/O.

Comes in: pieces of any size. Goes out: heads, whole requests, or plain bytes, in the
order and amounts that the caller asks for. Must not know: sockets, event loops,
routes. Time comes from a function given at the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel_fakeserver._wire.body import (
    Body,
    ChunkedBody,
    LengthBody,
    NoBody,
    body_of,
)
from windtunnel_fakeserver._wire.head import Head, find_head_end, parse_head
from windtunnel_fakeserver._wire.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable


class RequestReader:
    """Reads one connection; every ``take_*`` answers None until enough has come.

    Nothing is consumed by a ``take_*`` that answers None, so bytes that came before
    an early end can still be shown or read in another way.

    Args:
        now: Gives the time that requests are stamped with, in seconds.
        connection: Number of the connection, for the stamps.
        server: Origin of the server, for the stamps.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_count",
        "_now",
        "_open",
        "_scanned",
        "_server",
        "_stamp",
        "buffer",
    )

    def __init__(
        self, now: Callable[[], float], connection: int = 0, server: str = ""
    ) -> None:
        self.buffer = bytearray()
        self._now = now
        self._connection = connection
        self._server = server
        self._count = 0
        self._scanned = 0
        # The head whose body has not been read, with that body.
        self._open: tuple[Head, LengthBody | ChunkedBody] | None = None
        self._body: Body = NoBody()
        self._stamp = 0.0

    def feed(self, data: bytes) -> None:
        """Add what has arrived."""
        self.buffer += data

    @property
    def broken(self) -> bool:
        """True after a body without a findable end: no request can follow."""
        return self._body.broken

    @property
    def pending(self) -> bool:
        """True between a head and the end of its body."""
        return self._open is not None

    def take_head(self) -> Request | None:
        """Consume the next head and return it as a request without its body.

        The body stays in the buffer: ``take_request`` reads it next, or ``take`` as
        plain bytes.
        """
        self._open = None
        if not self.buffer:
            return None
        end = find_head_end(self.buffer, self._scanned)
        if end < 0:
            self._scanned = len(self.buffer)
            return None
        head = parse_head(bytes(memoryview(self.buffer)[:end]))
        self._consume(end)
        self._body = body = body_of(head)
        self._stamp = self._now()
        self._count += 1
        if isinstance(body, LengthBody | ChunkedBody):
            self._open = (head, body)
        complete = self._open is None and not body.broken
        return self._request(head, b"", head.raw, complete=complete)

    def take_request(self) -> Request | None:
        """Consume the next whole request, or the rest of one whose head was taken."""
        if self._open is None:
            request = self.take_head()
            if request is None or self._open is None:
                return request
        head, body = self._open
        end = body.scan(self.buffer)
        if end < 0:
            return None
        raw = head.raw + self.buffer[:end]
        content = body.decoded(self.buffer)
        self._consume(end)
        self._open = None
        return self._request(head, content, raw, complete=not body.broken)

    def cut_request(self) -> Request | None:
        """Consume what came of a request that the client did not finish.

        Returns:
            The head with as much of the body as arrived, or None when no head was
            taken before.
        """
        if self._open is None:
            return None
        head, body = self._open
        content = body.decoded(self.buffer)
        head.notes.append(f"the client ended early: {body.missing(self.buffer)}")
        raw = head.raw + self.buffer
        self._consume(len(self.buffer))
        self._open = None
        return self._request(head, content, raw, complete=False)

    def take(self, size: int) -> bytes | None:
        """Consume exactly ``size`` bytes of whatever is next."""
        if len(self.buffer) < size:
            return None
        return self._plain(size)

    def take_some(self, limit: int) -> bytes:
        """Consume up to ``limit`` bytes of whatever is next, perhaps none."""
        return self._plain(min(limit, len(self.buffer)))

    def _plain(self, size: int) -> bytes:
        data = bytes(memoryview(self.buffer)[:size])
        self._consume(size)
        # Whoever reads plain bytes behind a head has taken the framing over.
        self._open = None
        return data

    def _consume(self, size: int) -> None:
        del self.buffer[:size]
        self._scanned = 0

    def _request(
        self, head: Head, body: bytes, raw: bytes, *, complete: bool
    ) -> Request:
        return Request(
            head.method,
            head.target,
            head.version,
            head.headers,
            body,
            raw,
            self._connection,
            self._count - 1,
            self._stamp,
            self._server,
            (*head.notes, *self._body.notes),
            tuple(self._body.trailers),
            complete,
        )
