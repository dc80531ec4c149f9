"""Named one-shot events that the client side and the peer side of a case share.

Order between the two ends of a conversation is forced by these, never by sleeping.
One object serves one run; it knows nothing of cases, sockets or clients.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Signals:
    """The named events of one run, for the running event loop."""

    __slots__ = ("_events", "_listeners")

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._listeners: list[Callable[[str], None]] = []

    def set(self, name: str) -> None:
        """Raise the event ``name``; everybody waiting for it goes on."""
        event = self._event(name)
        if event.is_set():
            return
        event.set()
        for listener in tuple(self._listeners):
            listener(name)

    async def wait(self, name: str) -> None:
        """Wait until ``name`` was raised, also if that was before."""
        await self._event(name).wait()

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call ``listener`` with the name of each event raised from now on."""
        self._listeners.append(listener)

    def _event(self, name: str) -> asyncio.Event:
        return self._events.setdefault(name, asyncio.Event())
