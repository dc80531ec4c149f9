"""Simulated sockets that act for sockets of the kernel.

In: sockets as libraries make them (``socket.socket(...)``) or as asyncio wraps them.
Out: the simulated socket behind each. The kernel's socket stays idle; it is closed with
its stand-in, and the stand-in is closed when the library closes or loses it. It must
not know the loop.
"""

from __future__ import annotations

import socket
import weakref
from asyncio.trsock import TransportSocket
from typing import TYPE_CHECKING, Any

from windtunnel_fakeserver.simulation.errors import NotSimulatedError
from windtunnel_fakeserver.simulation.socket import SimSocket

if TYPE_CHECKING:
    from windtunnel_fakeserver.simulation.network import Network

__all__ = ["StandIns"]


class StandIns:
    """All stand-ins of one loop."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._table: dict[int, tuple[weakref.ref[socket.socket], SimSocket]] = {}

    def of(self, sock: Any) -> SimSocket:
        """Return the simulated socket for anything that asyncio takes as a socket.

        Raises:
            NotSimulatedError: It is no TCP socket, or is connected for real.
        """
        if isinstance(sock, TransportSocket):
            sock = getattr(sock, "_sock", None)
        if isinstance(sock, SimSocket):
            return sock
        if not isinstance(sock, socket.socket):
            raise NotSimulatedError(f"the socket object {type(sock).__name__}")
        known = self._table.get(id(sock))
        if known is not None and known[0]() is sock:
            return known[1]
        stand_in = self._make(sock)
        self._table[id(sock)] = (weakref.ref(sock), stand_in)
        return stand_in

    def adopt(self, sock: Any) -> SimSocket:
        """Return the simulated socket, which owns the kernel's socket from now on."""
        stand_in = self.of(sock)
        if isinstance(sock, socket.socket):
            del self._table[id(sock)]
            stand_in.original = sock
        return stand_in

    def drop(self, sock: Any) -> None:
        """Close the stand-in of a socket whose connect failed or was cancelled."""
        if isinstance(sock, socket.socket):
            _, stand_in = self._table.pop(id(sock))
            stand_in.close()

    def reap(self) -> None:
        """Close the stand-ins of sockets that were closed or lost."""
        for key, (reference, stand_in) in list(self._table.items()):
            original = reference()
            if original is None or original.fileno() == -1:
                del self._table[key]
                stand_in.close()

    def __bool__(self) -> bool:
        return bool(self._table)

    def _make(self, sock: socket.socket) -> SimSocket:
        family = sock.family
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise NotSimulatedError(f"a socket of the family {family.name}")
        if sock.type != socket.SOCK_STREAM:
            raise NotSimulatedError(f"a socket of the type {sock.type.name}")
        try:
            sock.getpeername()
        except OSError:
            pass
        else:
            raise NotSimulatedError("a socket that is connected for real")
        stand_in = self._network.socket(family)
        linger = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        stand_in.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        host, port = sock.getsockname()[:2]
        if port:
            self._network.note_foreign_port(port)
            stand_in.bind((host, port))
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            stand_in.listen()
        return stand_in
