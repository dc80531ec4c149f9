"""One accepted connection: the asyncio protocol under routes and scripts.

Comes in: transport callbacks. Goes out: bytes for the reader, events for the journal,
and awaitables that wait for either. Must not know: routes, replies, verdicts, which
event loop this is.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Any, cast

from windtunnel_fakeserver._serve.authority import AskingContext
from windtunnel_fakeserver._wire.compat import override
from windtunnel_fakeserver._wire.request_reader import RequestReader
from windtunnel_fakeserver.errors import WireClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from windtunnel_fakeserver._journal.journal import Journal
    from windtunnel_fakeserver._journal.record import ConnectionRecord

# Like a kernel's receive buffer: whoever reads nothing makes the client wait.
_MAX_UNREAD = 65536
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Link(asyncio.Protocol):
    """One connection, seen from the server.

    Args:
        journal: Gets a record of the connection and every event on it.
        server: Origin of the server, for the record.
        serve: Coroutine function that serves the connection; it runs as a task that
            this object owns. When it ends, the connection is closed.
        links: This object is in it from the opening of the connection until the
            connection is gone and the task has ended.
        secure: True pauses reading until ``start_tls``.
    """

    # Given by ``connection_made``, before any other callback.
    transport: asyncio.Transport
    record: ConnectionRecord
    reader: RequestReader
    task: asyncio.Task[None]

    def __init__(
        self,
        journal: Journal,
        server: str,
        serve: Callable[[Link], Coroutine[None, None, None]],
        links: list[Link],
        *,
        secure: bool = False,
    ) -> None:
        self._journal = journal
        self._server = server
        self._serve = serve
        self._links = links
        self._secure = secure
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._senders: list[asyncio.Future[None]] = []
        self._full = False
        self._held = False
        self._throttled = False
        self._handshaking = False
        self.eof = False
        self.lost = False
        self.closing = False
        self.failure: BaseException | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()

    # -- callbacks of the transport --------------------------------------------

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        # One send, one segment: nothing may gather in the write buffer.
        self.transport.set_write_buffer_limits(0)
        self.record = self._journal.opened(
            self._server, _address(transport.get_extra_info("peername"))
        )
        number = self.record.number
        self.reader = RequestReader(lambda: self._journal.now, number, self._server)
        if self._secure:
            self.transport.pause_reading()
        self.task = self._loop.create_task(
            self._run(), name=f"server connection {number} {self._server}"
        )
        self._links.append(self)
        self.gone.add_done_callback(
            lambda _: self.task.add_done_callback(lambda _: self._links.remove(self))
        )

    @override
    def data_received(self, data: bytes) -> None:
        self._journal.event(self.record, "in", "data", data)
        self.reader.feed(data)
        self._wake()
        if len(self.reader.buffer) > _MAX_UNREAD and not self._throttled:
            self._throttled = True
            self.transport.pause_reading()

    @override
    def eof_received(self) -> bool:
        self.eof = True
        self._journal.event(self.record, "in", "eof")
        self._wake()
        # Plain TCP stays half open, so that scripts can answer a client that has
        # finished sending. TLS has no half-open state in asyncio.
        return not self.record.tls

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        if self.gone.done():
            return
        self.lost = True
        self.failure = exc
        if exc is not None and not self._handshaking:
            text = "" if isinstance(exc, ConnectionResetError) else _reason(exc)
            self._journal.event(self.record, "in", "reset", b"", text)
        self._journal.closed(self.record)
        self._wake()
        self.resume_writing()
        if not self.gone.done():
            self.gone.set_result(None)

    @override
    def pause_writing(self) -> None:
        self._full = True

    @override
    def resume_writing(self) -> None:
        self._full = False
        senders, self._senders = self._senders, []
        for sender in senders:
            if not sender.done():
                sender.set_result(None)

    # -- reading ---------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether no more bytes can come from the client."""
        return self.eof or self.lost

    async def more(self) -> None:
        """Wait until more bytes, or the end of them, have come."""
        if self._throttled:
            self._throttled = False
            if not self._held:
                self.transport.resume_reading()
        self._waiter = waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            self._waiter = None

    def hold_reading(self) -> None:
        """Take nothing more from the network, so that the client's window fills."""
        self._held = True
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Undo ``hold_reading``."""
        self._held = False
        if not self._throttled:
            self.transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- writing and ending ----------------------------------------------------

    async def send(self, data: bytes) -> None:
        """Put bytes on the network, and wait until the network has taken them.

        Raises:
            WireClosedError: The connection is gone, or was closed here.
        """
        self._check_open()
        self._journal.event(self.record, "out", "data", data)
        self.transport.write(data)
        if self._full:
            sender: asyncio.Future[None] = self._loop.create_future()
            self._senders.append(sender)
            await sender
            if self.lost:
                self._check_open()

    def _check_open(self) -> None:
        if self.lost or self.closing:
            who = "was closed here" if self.closing else "was ended by the client"
            msg = f"send on connection {self.record.number}, which {who}"
            raise WireClosedError(msg, b"", "send")

    def send_eof(self) -> None:
        """Send FIN and stay readable.

        Raises:
            RuntimeError: The connection is TLS, or is closed already.
        """
        if self.record.tls:
            msg = (
                f"eof() on connection {self.record.number}: asyncio cannot half-close "
                "TLS; use close(), or abort() for an end without close_notify"
            )
            raise RuntimeError(msg)
        if self.lost or self.closing:
            msg = f"eof() on connection {self.record.number}, which is closed"
            raise RuntimeError(msg)
        self._journal.event(self.record, "out", "eof")
        self.transport.write_eof()

    def close(self) -> None:
        """Close politely: what was sent goes out, then FIN (TLS: close_notify)."""
        if not (self.closing or self.lost):
            self.closing = True
            self._journal.event(self.record, "out", "eof")
            self.transport.close()

    def abort(self) -> None:
        """End at once with FIN: unsent bytes are lost, TLS gets no close_notify."""
        if not self.lost:
            self.closing = True
            self.transport.abort()

    def reset(self) -> None:
        """End at once with RST."""
        if self.lost:
            return
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._journal.event(self.record, "out", "reset")
        self.closing = True
        self.transport.abort()

    # -- TLS and the task ------------------------------------------------------

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Do the server's side of a TLS handshake; the journal gets the result.

        Raises:
            WireClosedError: The handshake failed; the connection is gone.
        """
        self._handshaking = True
        try:
            transport = await self._loop.start_tls(
                self.transport, self, context, server_side=True
            )
            if transport is None:
                # So asyncio says that the client left within the handshake.
                raise ConnectionResetError
        except OSError as exc:
            failure = context.failure if isinstance(context, AskingContext) else None
            text = f"handshake failed: {_reason(failure or exc)}"
            self._journal.event(self.record, "in", "tls", b"", text)
            # asyncio does not, when the connection ends within the handshake.
            self.connection_lost(exc)
            msg = f"TLS {text} on connection {self.record.number}"
            raise WireClosedError(msg) from exc
        except asyncio.CancelledError:
            self.connection_lost(None)
            raise
        self.transport = transport
        # Not 0 as above: the TLS transport pauses at the limit, not beyond it.
        self.transport.set_write_buffer_limits(1, 0)
        self.record.tls = True
        self._handshaking = False
        ssl_object = self.transport.get_extra_info("ssl_object")
        self.record.client_name = _common_name(ssl_object.getpeercert() or {})
        version = ssl_object.version()
        self._journal.event(self.record, "", "tls", b"", version)

    async def _run(self) -> None:
        try:
            await self._serve(self)
        finally:
            self.close()


def _address(peer: object) -> str:
    if isinstance(peer, tuple):
        parts = cast("tuple[object, ...]", peer)
        host = str(parts[0])
        return f"[{host}]:{parts[1]}" if ":" in host else f"{host}:{parts[1]}"
    return ""


def _common_name(certificate: dict[str, Any]) -> str:
    names = dict(pair for fields in certificate.get("subject", ()) for pair in fields)
    return str(names.get("commonName", ""))


def _reason(exc: BaseException) -> str:
    # The text of an SSLError carries line numbers of the C source; the reason does not.
    if isinstance(exc, ssl.SSLError) and exc.reason:
        return exc.reason
    return str(exc) or type(exc).__name__
