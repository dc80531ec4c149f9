"""One connection: its transport, the response being read, its timer and its waiter.

In come bytes from the loop and requests from the exchange layer, out go an ``Answer``
through the future that ``begin`` returned, then pieces of body into its stream. It
knows neither URLs nor the headers to send, and of reuse only whether the response left
the connection clean.

One object does all of it (``Channel`` is its lower half), because objects and callbacks
between them are what a request costs. The rules of HTTP are in ``_wire``; the states
are here::

    IDLE -> HEAD -> LENGTH | CHUNKED | UNTIL_CLOSE -> IDLE       response complete
            HEAD -> IDLE                                         no body, or all there
            HEAD -> UNTIL_CLOSE -> HANDED_OVER                   status 101
    any  -> CLOSED                                               everything else
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, cast

from windtunnel._base.compat import override
from windtunnel._body.stream import StreamReader
from windtunnel._policy.deadline import NEVER
from windtunnel._transport.channel import Channel
from windtunnel._transport.failures import (
    ClosedHere,
    Disconnected,
    Phase,
    TimedOut,
    TransportFailure,
)
from windtunnel._transport.settings import Answer
from windtunnel._transport.tls import has_said_goodbye
from windtunnel._wire.chunked import PIECE_BYTES, ChunkedReader
from windtunnel._wire.framing import BodyKind, response_framing
from windtunnel._wire.head import HEAD_END, Head, parse_regular_head
from windtunnel._wire.head_exact import HeadReader, located
from windtunnel._wire.violation import WireError

if TYPE_CHECKING:
    from windtunnel._base.typedefs import ConnectionKey
    from windtunnel._transport.pool import Pool
    from windtunnel._transport.settings import ReadSettings


class Successor(asyncio.BufferedProtocol):
    """Who uses the transport after a response of status 101."""

    __slots__ = ()

    @abstractmethod
    def abort(self) -> None:
        """Close the transport at once, after what was sent already."""


class State(Enum):
    """Where a connection is in the life of a request."""

    IDLE = "in the pool, or about to be used"
    HEAD = "waiting for a response head"
    LENGTH = "reading a body of known length"
    CHUNKED = "reading a chunked body"
    UNTIL_CLOSE = "reading a body that ends with the connection"
    HANDED_OVER = "its transport serves another protocol"
    CLOSED = "of no further use"


# Names for the hot path: a global is cheaper than an attribute of the enum.
_IDLE = State.IDLE
_HEAD = State.HEAD
_LENGTH = State.LENGTH
_CHUNKED = State.CHUNKED
_UNTIL_CLOSE = State.UNTIL_CLOSE
_HANDED_OVER = State.HANDED_OVER
_CLOSED = State.CLOSED


class Connection(Channel):
    """One connection of the pool, serving one request at a time.

    Attributes:
        idle_since: When it was put back, on the loop's clock.
        is_last: Whether its request asks to close it, so that no other may follow
            (RFC 9112 section 9.6).
    """

    __slots__ = (
        "_chunks",
        "_continue",
        "_head_reader",
        "_interim",
        "_is_lost",
        "_keep_alive",
        "_left",
        "_method",
        "_offset",
        "_state",
        "_stream",
        "_successor",
        "_token",
        "idle_since",
        "is_last",
    )

    def __init__(
        self, pool: Pool, key: ConnectionKey, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(pool, key, loop)
        self.idle_since = 0.0
        self.is_last = False
        self._state = _IDLE
        self._is_lost = False
        self._token: asyncio.Future[Answer] | None = None
        self._method = ""
        self._head_reader: HeadReader | None = None
        self._interim = 0
        self._continue: asyncio.Future[None] | None = None
        self._offset = 0
        self._left = 0
        self._keep_alive = False
        self._chunks: ChunkedReader | None = None
        self._stream: StreamReader | None = None
        self._successor: Successor | None = None

    @override
    def __repr__(self) -> str:
        key = self.key
        return f"<Connection {key.host}:{key.port} {self._state.name.lower()}>"

    # --- what the pool and the exchange ask for -------------------------------------

    def is_usable(self) -> bool:
        """Say whether a request may be sent."""
        transport = self.transport
        return (
            self._state is _IDLE
            and transport is not None
            and not transport.is_closing()
        )

    def begin(
        self, data: bytes, method: str, settings: ReadSettings, total_at: float
    ) -> asyncio.Future[Answer]:
        """Send a request head, with a small body, and expect its response.

        Args:
            data: The bytes to send now.
            method: Method of the request.
            settings: How to receive.
            total_at: When the whole exchange must be over, on the loop's clock.

        Returns:
            The future of the answer, which is also the token for ``abandon``. It gets a
            TransportFailure or a WireError if there is none.
        """
        self._state = _HEAD
        self._method = method
        self._settings = settings
        self._total_at = total_at
        if total_at < self._timer_at:
            self._arm(total_at)
        if settings.sock_read:
            self._await_data()
        self._token = token = self._loop.create_future()
        transport = self.transport
        assert transport is not None
        transport.write(data)
        return token

    def expect_continue(self) -> asyncio.Future[None]:
        """Make a future that is done when the server asks for the body.

        Any interim response does. A final one does not, and as the body was not sent
        the connection is closed then (RFC 9110 section 10.1.1).
        """
        self._continue = future = self._loop.create_future()
        return future

    def abandon(self, token: asyncio.Future[Answer]) -> None:
        """Give up a response that is not complete; harmless if it is."""
        if self._token is token:
            self.shut(ClosedHere("Connection closed"))
        if token.done() and not token.cancelled():
            # Whoever gives up need not have awaited it.
            token.exception()

    def serves(self, token: asyncio.Future[Answer]) -> bool:
        """Say whether the answer of this token is still arriving."""
        return self._token is token

    def refuse_switch(self, token: asyncio.Future[Answer]) -> WireError:
        """Give up a response of status 101; the error to report is returned."""
        self.abandon(token)
        return WireError(
            "status 101 without a request to switch protocols",
            rule="RFC 9110 section 15.2.2",
            offset=self._offset,
        )

    def hand_over(self, token: asyncio.Future[Answer], protocol: Successor) -> bool:
        """Let another protocol use the transport, after a response of status 101.

        The connection keeps its place in the pool, and can still be shut, which aborts
        the protocol. That calls ``connection_lost`` when it is called so itself.

        Returns:
            False if the transport is closed already.
        """
        transport, stream = self.transport, self._stream
        if self._token is not token or transport is None or stream is None:
            return False
        self._state = _HANDED_OVER
        self._token = self._stream = None
        self._total_at = self._read_at = NEVER
        self._disarm()
        self.resume_reading()
        stream.feed_eof()
        self._successor = protocol
        transport.set_protocol(protocol)
        return True

    @override
    def shut(self, failure: TransportFailure | WireError) -> None:
        """Close for good and tell whoever waits why."""
        if self._state is _CLOSED:
            return
        self._state = _CLOSED
        successor, self._successor = self._successor, None
        token, stream = self._token, self._stream
        self._token = self._stream = self._chunks = self._head_reader = None
        self._stop()
        if successor is not None:
            successor.abort()
            self._pool.vacate(self.key)
            return
        self.cut()
        if token is None:
            self._pool.remove_idle(self)
            return
        self._pool.vacate(self.key)
        if stream is not None:
            # Time is over at once; other failures come after what had arrived.
            if isinstance(failure, (TimedOut, ClosedHere)):
                stream.set_exception(failure)
            else:
                stream.fail(failure)
        elif not token.done():
            token.set_exception(failure)

    @override
    def phase(self) -> Phase | None:
        """Say what the current request is doing, None if there is none."""
        state = self._state
        if state in (_IDLE, _HANDED_OVER, _CLOSED):
            return None
        if state is not _HEAD:
            return Phase.BODY
        if self._upload is None:
            return Phase.HEAD
        return Phase.UPLOAD if self._continue is None else Phase.CONTINUE

    # --- what the loop calls --------------------------------------------------------

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._pool.add_live(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._end_of_data(exc)
        self._pool.remove_live(self)

    @override
    def eof_received(self) -> None:
        # At once: closing would first wait for bytes that the peer may never read.
        self._end_of_data(None)

    @override
    def buffer_updated(self, nbytes: int) -> None:
        state = self._state
        if self._read_at != NEVER:
            self._read_at = self._loop.time() + (self._settings.sock_read or 0)
        try:
            if state is _HEAD:
                self._take_head(0, nbytes)
            elif state is _LENGTH:
                self._take_length(0, nbytes)
            elif state is _CHUNKED:
                self._take_chunks(0, nbytes)
            elif state is _UNTIL_CLOSE:
                self._feed(0, nbytes)
            elif state is _IDLE:
                # Nobody asked: whatever it is, it must not answer the next request.
                self.shut(ClosedHere("Connection closed"))
        except WireError as exc:
            self.shut(exc)

    # --- the response ---------------------------------------------------------------

    def _take_head(self, start: int, end: int) -> None:
        pool = self._pool
        limits = self._settings.limits
        while start < end:
            reader = self._head_reader
            head: Head | None = None
            stop = head_size = 0
            if reader is None:
                stop = pool.buffer.find(HEAD_END, start, end)
                if stop >= 0:
                    text = pool.buffer[start : stop + 2]
                    head = parse_regular_head(
                        text.decode("utf-8", "surrogateescape"), limits
                    )
                    stop += len(HEAD_END)
                    head_size = stop - start
                if head is None:
                    self._head_reader = reader = HeadReader(limits, self._offset)
            if reader is not None:
                used = reader.feed(bytes(pool.view[start:end]))
                if used < 0:
                    return
                self._head_reader = None
                head = reader.head
                stop = start + used
                head_size = reader.end_offset - self._offset
            assert head is not None
            if head.status >= 200:
                self._take_final(head, head_size, stop, end)
                return
            if head.status == 101:
                self._take_switch(head, stop, end)
                return
            self._check_interim()
            self._offset += head_size
            start = stop

    def _check_interim(self) -> None:
        """Skip a 1xx response, or refuse it."""
        self._interim += 1
        limit = self._settings.limits.max_interim
        if self._interim > limit:
            raise WireError(
                f"more than {limit} interim responses",
                rule="limit max_interim, RFC 9110 section 15.2",
                offset=self._offset,
            )
        asked, self._continue = self._continue, None
        if asked is not None and not asked.done():
            asked.set_result(None)

    def _take_final(self, head: Head, size: int, position: int, end: int) -> None:
        """Begin the body, or finish at once if all of it is there."""
        try:
            kind, length, self._keep_alive, coding = response_framing(
                self._method, head.status, head.minor, head.telling, self._offset
            )
        except WireError as exc:
            raw = bytes(self._pool.view[position - size : position])
            raise located(exc, head, raw, self._offset) from None
        token = self._token
        assert token is not None
        if (
            kind is BodyKind.LENGTH
            or kind is BodyKind.NONE
            or not (kind is BodyKind.CHUNKED or self._settings.read_until_eof)
        ):
            stop = position + length
            if stop <= end:
                body = bytes(self._pool.view[position:stop])
                self._finish(is_clean=stop == end)
                if not token.done():
                    token.set_result(Answer(head, coding, body, None))
                return
        stream = StreamReader(self, self._settings.read_bufsize, loop=self._loop)
        self._stream = stream
        if not token.done():
            token.set_result(Answer(head, coding, b"", stream))
        if kind is BodyKind.LENGTH:
            self._state = _LENGTH
            self._left = length
            self._take_length(position, end)
        elif kind is BodyKind.CHUNKED:
            self._state = _CHUNKED
            self._chunks = ChunkedReader(
                self._settings.limits,
                stream.feed_chunk,
                self._offset + size,
                len(head.fields),
            )
            self._take_chunks(position, end)
        else:
            self._state = _UNTIL_CLOSE
            self._feed(position, end)

    def _take_switch(self, head: Head, position: int, end: int) -> None:
        """Take what follows as a stream, until somebody takes the transport over."""
        token = self._token
        assert token is not None
        self._keep_alive = False
        self._state = _UNTIL_CLOSE
        stream = StreamReader(self, self._settings.read_bufsize, loop=self._loop)
        self._stream = stream
        if not token.done():
            token.set_result(Answer(head, "", b"", stream))
        self._feed(position, end)

    def _take_length(self, start: int, end: int) -> None:
        size = min(end - start, self._left)
        self._left -= size
        self._feed(start, start + size)
        if self._left == 0:
            self._complete(is_clean=start + size == end)

    def _take_chunks(self, start: int, end: int) -> None:
        chunks = self._chunks
        assert chunks is not None
        pool = self._pool
        stop = chunks.feed(pool.buffer, pool.view, start, end)
        if stop >= 0:
            self._complete(is_clean=stop == end)

    def _feed(self, start: int, end: int) -> None:
        """Copy data of the read buffer into the stream, once and in pieces."""
        if start == end:
            return
        stream = self._stream
        assert stream is not None
        part = self._pool.view[start:end]
        size = end - start
        stream.feed_pieces(
            [bytes(part[at : at + PIECE_BYTES]) for at in range(0, size, PIECE_BYTES)],
            size,
        )

    def _complete(self, *, is_clean: bool) -> None:
        """Finish the exchange, then let the reader know that its body is complete."""
        stream = self._stream
        assert stream is not None
        self._finish(is_clean=is_clean)
        stream.feed_eof()

    def _finish(self, *, is_clean: bool) -> None:
        """End the exchange: back into the pool, or closed if anything is left over."""
        self._token = self._stream = self._chunks = None
        self._read_at = NEVER
        self._interim = self._offset = 0
        if (
            is_clean
            and self._keep_alive
            and self._upload is None
            and self.drain is None
            and not self._is_lost
            and not self.is_last
        ):
            self._state = _IDLE
            # A pooled connection that does not read would never see its next answer.
            if self._is_paused:
                self.resume_reading()
            self._pool.put_back(self)
        else:
            self._state = _CLOSED
            self._stop()
            self._close_transport()
            self._pool.vacate(self.key)

    def _is_orderly_end(self) -> bool:
        assert self.transport is not None
        ssl_object = self.transport.get_extra_info("ssl_object")
        return ssl_object is None or has_said_goodbye(ssl_object)

    def _close_transport(self) -> None:
        transport = self.transport
        assert transport is not None
        if transport.get_write_buffer_size():
            # The answer is here, so nobody needs the rest of the request, and a server
            # that does not read it would keep the connection open for ever.
            transport.abort()
        else:
            transport.close()

    def _end_of_data(self, error: Exception | None) -> None:
        """Use the end of the peer's bytes: as the end of a body, or as a failure."""
        state = self._state
        if state is _CLOSED:
            return
        if state is _UNTIL_CLOSE and error is None and self._is_orderly_end():
            self._complete(is_clean=False)
            return
        has_answer = (
            state is not _HEAD or self._head_reader is not None or self._interim > 0
        )
        missing = self._left if state is _LENGTH else None
        self.shut(Disconnected(error, has_answer=has_answer, missing=missing))
