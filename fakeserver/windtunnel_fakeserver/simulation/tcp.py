"""TCP without time and without sockets: two ends of a connection and what lies between.

In: bytes, FIN and RST at the moment they arrive; reads, writes and closes of the
application. Out: bytes, errors with the errno Linux would give, and what to put on the
wire. It must not know the clock, the loop or descriptors: the network decides when
something arrives, the socket tells the loop that something changed.
"""

from __future__ import annotations

import enum
import errno
import os
import socket
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Closing", "Endpoint", "Pipe", "connection"]


class Closing(enum.Enum):
    """What the close of one end puts on the wire."""

    FIN = "fin"
    RESET = "reset"
    NOTHING = "nothing"


class Pipe:
    """One direction of a connection.

    Attributes:
        number: Connection number, from 0.
        direction: ``">"`` client to server, ``"<"`` server to client.
        window: How many bytes may be under way or unread at once.
        segments: Bytes that arrived and were not read, one entry per segment.
        in_flight: Bytes that were sent and did not arrive yet.
        unread: Bytes in ``segments``. ``in_flight + unread <= window`` holds always.
        last_arrival: Loop time at which the latest thing sent so far arrives; nothing
            sent later may arrive earlier.
    """

    __slots__ = (
        "direction",
        "in_flight",
        "last_arrival",
        "number",
        "segments",
        "unread",
        "window",
    )

    def __init__(self, number: int, direction: str, window: int) -> None:
        self.number = number
        self.direction = direction
        self.window = window
        self.segments: deque[bytes | memoryview] = deque()
        self.in_flight = 0
        self.unread = 0
        self.last_arrival = 0.0

    @property
    def room(self) -> int:
        """How many more bytes may be sent now."""
        return self.window - self.in_flight - self.unread

    def take(self, limit: int, *, peek: bool, coalesce: bool) -> bytes:
        """Read from the segments that arrived; there must be at least one.

        Args:
            limit: At most this many bytes.
            peek: Leave the bytes where they are.
            coalesce: Go on over the end of a segment, as a kernel does. Otherwise one
                call returns at most one segment, so that scripted boundaries are kept.
        """
        if coalesce and len(self.segments) > 1:
            whole = b"".join(self.segments)
            self.segments.clear()
            self.segments.append(whole)
        head = self.segments[0]
        piece = head if len(head) <= limit else head[:limit]
        if not peek:
            if len(head) <= limit:
                self.segments.popleft()
            else:
                self.segments[0] = memoryview(head)[limit:]
            self.unread -= len(piece)
        return piece if isinstance(piece, bytes) else bytes(piece)


class Endpoint:
    """One end of a connection: what a kernel keeps about a connected socket.

    Attributes:
        inbound: The direction that this end reads.
        outbound: The direction that this end writes.
        peer: The other end.
        fin_sent: This end has said that it will write no more.
        fin_received: The other end's FIN has arrived.
        was_reset: A RST has arrived; the connection is gone.
        read_shut: The application shut its reading side.
        closed: The application closed this end.
        error: Pending errno that the next read or write reports once, or 0.
        changed: Called when readiness may have changed.
    """

    __slots__ = (
        "changed",
        "closed",
        "error",
        "fin_received",
        "fin_sent",
        "inbound",
        "outbound",
        "peer",
        "read_shut",
        "was_reset",
    )

    peer: Endpoint

    def __init__(self, inbound: Pipe, outbound: Pipe) -> None:
        self.inbound = inbound
        self.outbound = outbound
        self.fin_sent = False
        self.fin_received = False
        self.was_reset = False
        self.read_shut = False
        self.closed = False
        self.error = 0
        self.changed: Callable[[], None] = _nobody

    # -- what a poll would say -------------------------------------------------------

    @property
    def readable(self) -> bool:
        """Whether a read would not block."""
        return bool(
            self.inbound.segments
            or self.fin_received
            or self.was_reset
            or self.read_shut
        )

    @property
    def writable(self) -> bool:
        """Whether a poll for writing wakes up.

        Linux waits until a third of the buffer is free, so that a slow reader does not
        turn every later write into a few bytes.
        """
        pipe = self.outbound
        return self.was_reset or self.fin_sent or 3 * pipe.room >= pipe.window

    @property
    def is_finished(self) -> bool:
        """Whether both directions ended in order: Linux forgets the connection."""
        return self.fin_sent and self.fin_received

    # -- the application's side ------------------------------------------------------

    def receive(self, limit: int, *, peek: bool, coalesce: bool) -> bytes:
        """Read at most ``limit`` bytes; empty means end of stream.

        Raises:
            BlockingIOError: Nothing has arrived.
            ConnectionResetError: The connection was reset; said once, after the bytes
                that arrived before, then reads say end of stream.
        """
        if self.inbound.segments:
            return self.inbound.take(limit, peek=peek, coalesce=coalesce)
        if self.fin_received:
            return b""
        if self.error:
            raise self._one_shot()
        if self.was_reset or self.read_shut:
            return b""
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def admit(self, size: int) -> int:
        """Say how many of ``size`` bytes may be sent now, at least one.

        Raises:
            BlockingIOError: The window is full.
            ConnectionResetError: First write after a RST.
            BrokenPipeError: Every later one; or at once if the FIN came before the RST;
                or this end has ended its writing.
        """
        if self.was_reset or self.fin_sent:
            self.error = self.error or errno.EPIPE
            raise self._one_shot()
        room = self.outbound.room
        if room <= 0:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return min(size, room)

    def shutdown(self, how: int) -> Closing:
        """End reading, writing or both.

        Raises:
            OSError: ENOTCONN, the connection is over.
        """
        if self.was_reset or self.is_finished:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self.read_shut = True
            self.changed()
        if how in (socket.SHUT_WR, socket.SHUT_RDWR) and not self.fin_sent:
            self.fin_sent = True
            return Closing.FIN
        return Closing.NOTHING

    def close(self, *, abortive: bool) -> Closing:
        """Close this end.

        Args:
            abortive: The application asked for a reset (``SO_LINGER`` with 0 seconds).

        Returns:
            A FIN; or a RESET, also when bytes were left unread; or NOTHING when the
            connection was over already.
        """
        closing = self._farewell(abortive)
        self.closed = True
        self.inbound.segments.clear()
        self.inbound.unread = 0
        return closing

    def take_error(self) -> int:
        """Read and clear the pending errno, as ``getsockopt(SO_ERROR)`` does."""
        error, self.error = self.error, 0
        return error

    def _farewell(self, abortive: bool) -> Closing:
        if self.was_reset or self.is_finished:
            return Closing.NOTHING
        if abortive or self.inbound.unread:
            return Closing.RESET
        if self.fin_sent:
            return Closing.NOTHING
        self.fin_sent = True
        return Closing.FIN

    def _one_shot(self) -> OSError:
        error = self.take_error()
        return OSError(error, os.strerror(error))

    # -- the network's side ----------------------------------------------------------

    def arrive(self, segment: bytes) -> bool:
        """Take one segment from the wire.

        Returns:
            False if nobody is here to read it: the sender must get a RST.
        """
        self.inbound.in_flight -= len(segment)
        if self.closed:
            return False
        if not self.was_reset:
            self.inbound.segments.append(segment)
            self.inbound.unread += len(segment)
            self.changed()
        return True

    def arrive_fin(self) -> None:
        """Take the other end's FIN from the wire."""
        if not (self.closed or self.was_reset):
            self.fin_received = True
            self.changed()

    def arrive_reset(self) -> None:
        """Take a RST from the wire.

        Bytes that arrived before stay readable. After a FIN the error is EPIPE.
        """
        if self.closed or self.was_reset or self.is_finished:
            return
        self.was_reset = True
        self.error = errno.EPIPE if self.fin_received else errno.ECONNRESET
        self.changed()


def connection(number: int, window: int) -> tuple[Endpoint, Endpoint]:
    """Make the two ends of an established connection.

    Returns:
        The client's end and the server's end.
    """
    upward = Pipe(number, ">", window)
    downward = Pipe(number, "<", window)
    client = Endpoint(inbound=downward, outbound=upward)
    server = Endpoint(inbound=upward, outbound=downward)
    client.peer = server
    server.peer = client
    return client, server


def _nobody() -> None:
    """Nobody has to hear of a change yet."""
