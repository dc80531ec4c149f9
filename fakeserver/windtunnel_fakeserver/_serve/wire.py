"""The wire: one accepted connection as a script sees it.

Comes in: the script's awaits. Goes out: bytes, both ways, exactly as told. Must not
know: routes, verdicts, the simulation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from windtunnel_fakeserver._wire.reply_writer import status_of
from windtunnel_fakeserver.errors import WireClosedError

if TYPE_CHECKING:
    import ssl

    from windtunnel_fakeserver._journal.journal import Journal
    from windtunnel_fakeserver._journal.record import Exchange, WireEvent
    from windtunnel_fakeserver._serve.link import Link
    from windtunnel_fakeserver._wire.request import Request

_T = TypeVar("_T")


class Wire:
    """One connection in the hands of ``async def script(wire)``.

    When the script returns, the connection is closed (FIN). The first script of a
    server gets its first connection, and so on.

    Attributes:
        connection: Number of the connection in the journal, from 0.
        server: Origin of the server, ``https://a.test``.
        tls: Whether bytes travel inside TLS.
    """

    __slots__ = (
        "_context",
        "_exchange",
        "_journal",
        "_link",
        "_name",
        "connection",
        "server",
    )

    def __init__(
        self, link: Link, journal: Journal, context: Callable[[], ssl.SSLContext]
    ) -> None:
        self._link = link
        self._journal = journal
        self._context = context
        self._exchange: Exchange | None = None
        self._name = link.task.get_name()
        self.connection = link.record.number
        self.server = link.record.server

    @property
    def tls(self) -> bool:
        """Whether bytes travel inside TLS."""
        return self._link.record.tls

    @property
    def log(self) -> list[WireEvent]:
        """What has happened on this connection so far."""
        return self._link.record.events

    # -- reading ---------------------------------------------------------------

    async def read_head(self) -> Request:
        """Read the next request head; the body stays unread.

        ``read_request`` then reads the rest of the same request; any other read
        takes the body as plain bytes.

        Raises:
            WireClosedError: The client ended before the head was complete.
        """
        request = await self._read("read_head", self._link.reader.take_head)
        return self._recorded(request)

    async def read_request(self) -> Request:
        """Read the next whole request, or the rest of one after ``read_head``.

        Raises:
            WireClosedError: The client ended before the request was complete.
        """
        reader = self._link.reader
        if not reader.pending:
            head = await self.read_head()
            if not reader.pending:
                return head
        request = await self._read("read_request", reader.take_request)
        # Only read_head leaves a request half read, and it made this.
        assert self._exchange is not None
        self._exchange.request = request
        return request

    async def requests(self) -> AsyncIterator[Request]:
        """Yield whole requests until the client ends between two of them."""
        link = self._link
        while True:
            while not (link.reader.buffer or link.ended):
                await self._step("requests", link.more())
            if not link.reader.buffer:
                return
            yield await self.read_request()

    async def read_exactly(self, size: int) -> bytes:
        """Read ``size`` bytes of whatever comes next.

        Raises:
            WireClosedError: The client ended before they had come.
        """
        name = f"read_exactly({size})"
        return await self._read(name, lambda: self._link.reader.take(size))

    async def read_some(self, limit: int = 65536) -> bytes:
        """Read what has come, 1 to ``limit`` bytes; ``b""`` once the client ended."""
        link = self._link
        while not (link.reader.buffer or link.ended):
            await self._step("read_some", link.more())
        return link.reader.take_some(limit)

    async def read_until_eof(self) -> bytes:
        """Read everything until the client ends its direction.

        Raises:
            WireClosedError: The client reset the connection instead.
        """
        link = self._link
        while not link.ended:
            await self._step("read_until_eof", link.more())
        if link.failure is not None and not link.eof:
            raise self._closed("read_until_eof")
        return link.reader.take_some(len(link.reader.buffer))

    # -- writing and waiting ---------------------------------------------------

    async def send(self, data: bytes) -> None:
        """Put these bytes on the network now, as a segment (or segments) of their own.

        Raises:
            WireClosedError: The connection is gone. Unhandled, it ends the script
                quietly: a client that has left is often the point of the test.
        """
        exchange = self._exchange
        if exchange is not None:
            exchange.sent.append(data)
            status = status_of(data)
            if status is not None and status >= 200 and exchange.reply_status is None:
                exchange.reply_status = status
                exchange.outcome = "replied"
                exchange.replied = self._journal.now
                exchange.reply_mark = len(self.log)
        await self._step("send", self._link.send(data))

    async def sleep(self, seconds: float) -> None:
        """Wait in loop time: virtual in a tunnel, real on loopback."""
        await self._step(f"sleep({seconds:g})", asyncio.sleep(seconds))

    async def stall(self) -> None:
        """Do nothing more, until the tunnel ends; the connection stays open."""
        await self._step("stall", asyncio.get_running_loop().create_future())

    async def start_tls(self) -> None:
        """Do the server's side of a TLS handshake, with the host's certificate.

        For a plain host that switches over, such as a proxy after CONNECT. An https
        host has done it before the script starts.

        Raises:
            WireClosedError: The handshake failed.
        """
        await self._step("start_tls", self._link.start_tls(self._context()))

    def pause(self) -> None:
        """Stop taking bytes from the network: the client's send window fills up."""
        self._link.hold_reading()

    def resume(self) -> None:
        """Undo ``pause``."""
        self._link.resume_reading()

    # -- ending ----------------------------------------------------------------

    def eof(self) -> None:
        """Close the sending direction only (FIN).

        Raises:
            RuntimeError: The connection is TLS, or is closed already.
        """
        self._link.send_eof()

    def close(self) -> None:
        """Close: what was sent goes out, then FIN (TLS: close_notify before it)."""
        self._link.close()

    def abort(self) -> None:
        """Close at once with FIN; a TLS client gets no close_notify (truncation)."""
        self._link.abort()

    def reset(self) -> None:
        """Close at once with RST: the client sees a connection reset."""
        self._link.reset()

    # -- inside ----------------------------------------------------------------

    async def _read(self, name: str, take: Callable[[], _T | None]) -> _T:
        link = self._link
        while True:
            found = take()
            if found is not None:
                return found
            if link.ended:
                raise self._closed(name)
            await self._step(name, link.more())

    async def _step(self, name: str, waiting: Awaitable[_T]) -> _T:
        # The name shows in the waiter table when nobody can move.
        task = self._link.task
        task.set_name(f"{self._name} step {name}")
        try:
            return await waiting
        finally:
            task.set_name(self._name)

    def _recorded(self, request: Request) -> Request:
        self._exchange = self._journal.exchange(request, self._link.record)
        self._exchange.answered_by = "script"
        return request

    def _closed(self, step: str) -> WireClosedError:
        link = self._link
        partial = bytes(link.reader.buffer)
        how = "ended" if link.eof else "reset" if link.failure else "closed"
        some = repr(partial[:40]) + ("..." if len(partial) > 40 else "")
        missing = f", {len(partial)} bytes had come: {some}" if partial else ""
        msg = f"{step} on connection {self.connection}: the client {how} it{missing}"
        return WireClosedError(msg, partial, "read")


Script: TypeAlias = Callable[[Wire], Awaitable[None]]
