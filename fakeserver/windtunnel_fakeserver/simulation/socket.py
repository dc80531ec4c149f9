"""The socket object that asyncio, clients and servers hold in a simulated world.

In: the calls of ``socket.socket`` that non-blocking TCP code makes. Out: what Linux
would answer, from the TCP model. It must not know the loop: it keeps its shadow
descriptor lit and its entry in the network's table of readable sockets, and the
selector looks there.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import warnings
from typing import TYPE_CHECKING, Any

from windtunnel_fakeserver.simulation.compat import override
from windtunnel_fakeserver.simulation.errors import NotSimulatedError
from windtunnel_fakeserver.simulation.shadow import make_shadow
from windtunnel_fakeserver.simulation.tcp import Closing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Buffer

    from windtunnel_fakeserver.simulation.network import Listener, Network
    from windtunnel_fakeserver.simulation.tcp import Endpoint

__all__ = ["SimSocket"]

# As plain ints: arithmetic of enum flags costs more than the read itself.
_PEEK = int(socket.MSG_PEEK)
_ANY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


class SimSocket:
    """A TCP socket of the simulated network; always non-blocking.

    It is made unconnected and unbound. ``network.listen`` and the event loop make most
    of them; code that uses the ``sock_*`` calls of the loop may make its own with
    ``network.socket()``.

    Attributes:
        family: ``AF_INET`` or ``AF_INET6``.
        type: ``SOCK_STREAM``.
        proto: ``IPPROTO_TCP``.
        endpoint: The connection's state, or None before it is established.
        listener: The queue of connections to accept, or None.
        original: The kernel's socket for which this one acts, closed together with it.
    """

    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(
        self,
        network: Network,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> None:
        self.family = family
        self.endpoint: Endpoint | None = None
        self.listener: Listener | None = None
        self.original: socket.socket | None = None
        self.connecting = False
        self.closed = False
        self._network = network
        self._shadow = make_shadow()
        self._number = self._shadow.number
        self._lit = False
        self._connect_error = 0
        self._connect_failed = False
        self._is_unannounced = False
        self._abortive = False
        self._options: dict[tuple[int, int], Any] = {}
        self._name: tuple[str, int] = (_ANY[family], 0)
        self._peer: tuple[str, int] | None = None
        network.sockets[self._number] = self

    @override
    def __repr__(self) -> str:
        state = "closed"
        if not self.closed:
            state = "idle"
            if self.listener is not None:
                state = "listening"
            elif self.endpoint is not None:
                pipe = self.endpoint.outbound
                state = f"connection {pipe.number}{pipe.direction}"
        host, port = self._name
        return f"<SimSocket {state} name={host}:{port} peer={self._peer}>"

    def __enter__(self) -> SimSocket:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self.closed:
            warnings.warn(
                f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self
            )
            self.close()

    # -- readiness -------------------------------------------------------------------

    @property
    def readable(self) -> bool:
        """Whether a read or an accept would not block."""
        if self.endpoint is not None:
            return self.endpoint.readable
        return self.listener is not None and bool(self.listener.queue)

    @property
    def writable(self) -> bool:
        """Whether a poll for writing wakes up: room, an error, or a failed connect."""
        if self.endpoint is not None:
            return self.endpoint.writable
        return self._connect_failed

    def refresh(self) -> None:
        """Bring the shadow descriptor in line with ``readable``."""
        lit = not self.closed and self.readable
        if lit is self._lit:
            return
        self._lit = lit
        if lit:
            self._shadow.light()
            self._network.readable[self._number] = self
        else:
            self._shadow.dim()
            del self._network.readable[self._number]

    # -- names and options -----------------------------------------------------------

    def fileno(self) -> int:
        """Descriptor that is readable exactly while this socket is; -1 once closed."""
        return -1 if self.closed else self._number

    def getsockname(self) -> tuple[Any, ...]:
        """Own address, in the shape of the family."""
        return self._shaped(self._name)

    def getpeername(self) -> tuple[Any, ...]:
        """Address of the other end, in the shape of the family.

        Raises:
            OSError: ENOTCONN, there is no connection (any more).
        """
        gone = self.endpoint is None or self.endpoint.was_reset
        if self._peer is None or gone:
            raise _os_error(errno.ENOTCONN)
        return self._shaped(self._peer)

    def gettimeout(self) -> float:
        """Always 0.0: a simulated socket never blocks."""
        return 0.0

    def getblocking(self) -> bool:
        """Always False."""
        return False

    def setblocking(self, flag: bool) -> None:
        """Accept False.

        Raises:
            NotSimulatedError: ``flag`` is true; only the loop can wait here.
        """
        if flag:
            raise NotSimulatedError("a blocking socket")

    def settimeout(self, value: float | None) -> None:
        """Accept 0.

        Raises:
            NotSimulatedError: Any other value; only the loop can wait here.
        """
        if value != 0:
            raise NotSimulatedError(f"a socket with the timeout {value!r}")

    def setsockopt(
        self, level: int, option: int, value: Any, length: int | None = None
    ) -> None:
        """Remember an option. ``SO_LINGER`` with 0 seconds makes close a reset."""
        self._options[level, option] = value
        if (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER):
            on, seconds = struct.unpack("ii", value)
            self._abortive = bool(on) and seconds == 0

    def getsockopt(self, level: int, option: int, length: int = 0) -> Any:
        """Return an option as it was set, 0 if it was not.

        ``SO_ERROR`` returns the pending error and clears it.
        """
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            if self.endpoint is not None:
                return self.endpoint.take_error()
            error, self._connect_error = self._connect_error, 0
            return error
        if (level, option) == (socket.SOL_SOCKET, socket.SO_TYPE):
            return int(socket.SOCK_STREAM)
        return self._options.get((level, option), 0)

    # -- listening -------------------------------------------------------------------

    def bind(self, address: tuple[Any, ...]) -> None:
        """Take an own address; port 0 takes a free one.

        Raises:
            OSError: EADDRINUSE, somebody listens there.
        """
        self._check_open()
        self._name = self._network.claim(address[0], address[1])

    def listen(self, backlog: int = 100) -> None:
        """Let others connect; a second call changes nothing.

        Args:
            backlog: So many connections may wait for ``accept``; later ones hang.
        """
        self._check_open()
        if self.listener is None:
            if self._name[1] == 0:
                self._name = self._network.claim(*self._name)
            self.listener = self._network.add_listener(self, self._name, backlog)

    def accept(self) -> tuple[SimSocket, tuple[Any, ...]]:
        """Take the next connection from the queue.

        Raises:
            BlockingIOError: There is none.
            OSError: EINVAL, the socket does not listen.
        """
        self._check_open()
        if self.listener is None:
            raise _os_error(errno.EINVAL)
        if not self.listener.queue:
            raise _os_error(errno.EAGAIN)
        accepted = self._network.accept(self.listener)
        self.refresh()
        assert accepted._peer is not None
        return accepted, accepted._shaped(accepted._peer)

    # -- connecting ------------------------------------------------------------------

    def connect(self, address: tuple[Any, ...]) -> None:
        """Start to connect; the socket turns writable when it is decided.

        Raises:
            BlockingIOError: EINPROGRESS, the normal case.
            UnknownAddressError: Nobody declared the address.
            OSError: Already connected, or a rule says unreachable.
        """
        self._check_open()
        if self.connecting:
            raise _os_error(errno.EALREADY)
        if self.endpoint is not None:
            if self._is_unannounced:
                # Linux says "done" once to whoever asks again after EINPROGRESS.
                self._is_unannounced = False
                return
            raise _os_error(errno.EISCONN)
        self._network.connect(self, address[0], address[1])
        self.connecting = True
        raise _os_error(errno.EINPROGRESS)

    def establish(
        self, endpoint: Endpoint, name: tuple[str, int], peer: tuple[str, int]
    ) -> None:
        """Become one end of a connection; the network calls this."""
        self._is_unannounced = self.connecting
        self.connecting = False
        self.endpoint = endpoint
        self._name = name
        self._peer = peer
        endpoint.changed = self.refresh
        self.refresh()

    def fail_connect(self, error: int) -> None:
        """Learn that the connect failed; the network calls this."""
        self.connecting = False
        self._connect_failed = True
        self._connect_error = error

    # -- data ------------------------------------------------------------------------

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Read what arrived: at most one segment, at most ``bufsize`` bytes.

        Raises:
            BlockingIOError: Nothing arrived.
            OSError: As Linux says: reset, not connected, closed.
        """
        if self._connect_failed:
            # Linux takes a refused connection for one that has ended.
            return b""
        endpoint = self._connected()
        peek = bool(flags & _PEEK)
        piece = endpoint.receive(bufsize, peek=peek, coalesce=self._network.coalesce)
        if piece and not peek:
            self._network.count_read(endpoint, len(piece))
        self.refresh()
        return piece

    def recv_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> int:
        """Read into ``buffer``; otherwise the same as ``recv``."""
        with memoryview(buffer).cast("B") as view:
            piece = self.recv(nbytes or len(view), flags)
            view[: len(piece)] = piece
        return len(piece)

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Send as much of ``data`` as the window takes, and say how much that is.

        Raises:
            BlockingIOError: The window is full.
            OSError: As Linux says: reset, broken pipe, not connected, closed.
        """
        endpoint = self._connected()
        # Released even when an error's traceback keeps this frame: a bytearray that is
        # viewed from somewhere cannot be cleared by its owner.
        with memoryview(data).cast("B") as view:
            admitted = endpoint.admit(len(view))
            if admitted == len(view) and isinstance(data, bytes):
                piece = data
            else:
                piece = bytes(view[:admitted])
        self._network.transmit(endpoint, piece)
        return admitted

    def sendmsg(self, buffers: Iterable[Buffer], *unused: Any) -> int:
        """Send several pieces as one; otherwise the same as ``send``."""
        room = max(1, self._connected().outbound.room)
        # No more is copied than fits: a writer comes here with its whole backlog.
        pieces: list[Buffer] = []
        for buffer in buffers:
            piece = memoryview(buffer).cast("B")[:room]
            pieces.append(piece)
            room -= len(piece)
            if room <= 0:
                break
        return self.send(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def shutdown(self, how: int) -> None:
        """End reading, writing or both.

        Raises:
            OSError: ENOTCONN, there is no connection (any more).
        """
        endpoint = self._connected()
        if endpoint.shutdown(how) is Closing.FIN:
            self._network.send_fin(endpoint)

    def close(self) -> None:
        """Close: a FIN, or a RST if bytes were left unread or linger is 0."""
        if self.closed:
            return
        if self.endpoint is not None:
            self._network.close_connection(self.endpoint, abortive=self._abortive)
        elif self.listener is not None:
            self._network.remove_listener(self.listener)
        self.closed = True
        self.refresh()
        del self._network.sockets[self._number]
        self._shadow.close()
        if self.original is not None:
            self.original.close()

    def detach(self) -> int:
        """Refuse.

        Raises:
            NotSimulatedError: Always; no other code could use the descriptor.
        """
        raise NotSimulatedError("detaching a socket from its descriptor")

    def dup(self) -> SimSocket:
        """Refuse.

        Raises:
            NotSimulatedError: Always.
        """
        raise NotSimulatedError("a second descriptor for one socket")

    def _connected(self) -> Endpoint:
        self._check_open()
        if self.endpoint is None:
            raise _os_error(errno.ENOTCONN)
        return self.endpoint

    def _check_open(self) -> None:
        if self.closed:
            raise _os_error(errno.EBADF)

    def _shaped(self, name: tuple[str, int]) -> tuple[Any, ...]:
        return name if self.family == socket.AF_INET else (*name, 0, 0)


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
