"""Gates: the test decides who has arrived, and who may go on, and when.

Comes in: replies that arrive, words of the test. Goes out: both sides wait for each
other. Must not know: which reply waits, connections, time.
"""

from __future__ import annotations

import asyncio

from windtunnel_fakeserver._script.pace import Hold
from windtunnel_fakeserver._wire.compat import override


class Gate(Hold):
    """Something that replies wait at. Made by ``tunnel.gate()``, closed at first.

    A reply with ``hold=gate`` arrives when its request has been read whole, before
    any delay; a gate among ``chunks`` is arrived at between two pieces.

    Args:
        name: For reports.

    Attributes:
        name: For reports, possibly empty.
        count: How many have arrived so far, those that went on included.
    """

    __slots__ = ("_held", "_is_open", "_watchers", "count", "name")

    def __init__(self, name: str = "") -> None:
        self.count = 0
        self.name = name
        self._is_open = False
        self._held: list[asyncio.Future[None]] = []
        self._watchers: list[asyncio.Future[None]] = []

    @override
    def __repr__(self) -> str:
        name = f" {self.name}" if self.name else ""
        state = "open" if self._is_open else "closed"
        return f"<Gate{name} {state}, {self.count} arrived, {self.waiting} held>"

    @property
    def waiting(self) -> int:
        """How many are held now."""
        return len(self._held)

    async def arrived(self, n: int = 1) -> None:
        """Wait until ``n`` have arrived, counted from the first ever.

        In a tunnel that never comes to pass, this is a deadlock, which is reported.
        """
        while self.count < n:
            watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.append(watcher)
            await watcher

    def release(self, n: int | None = None) -> None:
        """Let go on who is held.

        Args:
            n: The oldest so many; None opens the gate for all, also for those who
                are still to come.

        Raises:
            ValueError: Fewer than ``n`` are held.
        """
        if n is None:
            self._is_open = True
            n = self.waiting
        if not 0 <= n <= self.waiting:
            msg = f"release({n!r}) of {self!r}: await gate.arrived(...) first"
            raise ValueError(msg)
        for held in self._held[:n]:
            held.set_result(None)
        del self._held[:n]

    def hold(self) -> None:
        """Close the gate again, for those who are still to come."""
        self._is_open = False

    @override
    async def wait(self) -> None:
        """Arrive, and return when the gate lets go on."""
        self.count += 1
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)
        if self._is_open:
            return
        held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held.append(held)
        try:
            await held
        finally:
            if held in self._held:
                # Cancelled, because the tunnel ended.
                self._held.remove(held)
