"""A real, idle descriptor that looks readable exactly while a simulated socket is.

In: light on, light off. Out: a number that ``select.poll`` understands. Clients poll
the descriptor of an idle pooled connection to learn whether the server closed it
(httpcore does); a made-up number or an unconnected socket would tell them that it did,
and no connection would ever be used again. It must not know sockets or the network.
"""

from __future__ import annotations

import os
import socket
from typing import Protocol

__all__ = ["EventShadow", "PairShadow", "Shadow", "make_shadow"]


class Shadow(Protocol):
    """The descriptor of one simulated socket."""

    number: int

    def light(self) -> None:
        """Make it readable; it must be dark."""
        ...

    def dim(self) -> None:
        """Make it unreadable; it must be lit."""
        ...

    def close(self) -> None:
        """Give it back to the operating system; called once."""
        ...


class EventShadow:
    """An ``eventfd``, where the platform has it: one descriptor, eight bytes."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def light(self) -> None:
        """Make it readable; it must be dark."""
        os.eventfd_write(self.number, 1)

    def dim(self) -> None:
        """Make it unreadable; it must be lit."""
        os.eventfd_read(self.number)

    def close(self) -> None:
        """Give it back to the operating system; called once."""
        os.close(self.number)


class PairShadow:
    """A socket pair, which every platform has: two descriptors, one byte."""

    __slots__ = ("_far", "_near", "number")

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self.number = self._near.fileno()

    def light(self) -> None:
        """Make it readable; it must be dark."""
        self._far.send(b"!")

    def dim(self) -> None:
        """Make it unreadable; it must be lit."""
        self._near.recv(1)

    def close(self) -> None:
        """Give it back to the operating system; called once."""
        self._near.close()
        self._far.close()


make_shadow: type[EventShadow] | type[PairShadow] = (
    EventShadow if hasattr(os, "eventfd") else PairShadow
)
