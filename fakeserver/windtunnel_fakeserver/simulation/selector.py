"""The selector under the simulated loop: which registered sockets are ready.

In: registrations by shadow descriptor. Out: the ready ones, in the order of
registration. It must not know time: when nothing is ready it asks the pacer, which
decides whether time moves.
"""

from __future__ import annotations

import selectors
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from windtunnel_fakeserver.simulation.compat import override
from windtunnel_fakeserver.simulation.errors import NotSimulatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windtunnel_fakeserver.simulation.socket import SimSocket

    FileObject = int | Any

__all__ = ["Ready", "SimSelector"]

Ready = list[tuple[selectors.SelectorKey, int]]


class SimSelector(selectors.BaseSelector):
    """A selector over simulated sockets.

    Attributes:
        pace: Called by ``select``; the loop sets it.
    """

    pace: Callable[[float | None], Ready]

    def __init__(
        self, sockets: Mapping[int, SimSocket], readable: Mapping[int, SimSocket]
    ) -> None:
        """Look at a network.

        Args:
            sockets: Open sockets by descriptor.
            readable: Those that are readable.
        """
        self._sockets = sockets
        self._readable = readable
        self._keys: dict[int, selectors.SelectorKey] = {}
        self._map = _KeyMap(self._keys)
        self._places: dict[int, int] = {}
        self._next_place = 0
        # Readable sockets are few at a time and known; writers must be asked.
        self._writers: set[int] = set()

    @override
    def register(
        self, fileobj: FileObject, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        """Watch a simulated socket.

        Raises:
            NotSimulatedError: The descriptor is not one of the simulated network.
            KeyError: It is watched already.
        """
        number = _number(fileobj)
        if number not in self._sockets:
            raise NotSimulatedError(f"watching the foreign descriptor {number}")
        if number in self._keys:
            raise KeyError(f"{fileobj!r} (descriptor {number}) is already registered")
        self._places[number] = self._next_place
        self._next_place += 1
        return self._put(fileobj, number, events, data)

    @override
    def modify(
        self, fileobj: FileObject, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        """Watch for other events, or with other data; the place stays."""
        key = self.get_key(fileobj)
        return self._put(key.fileobj, key.fd, events, data)

    @override
    def unregister(self, fileobj: FileObject) -> selectors.SelectorKey:
        """Watch no more."""
        key = self.get_key(fileobj)
        del self._keys[key.fd]
        del self._places[key.fd]
        self._writers.discard(key.fd)
        return key

    @override
    def get_key(self, fileobj: FileObject) -> selectors.SelectorKey:
        """Return the registration of a socket.

        Raises:
            KeyError: It is not watched.
        """
        return self._keys[_number(fileobj)]

    @override
    def get_map(self) -> Mapping[FileObject, selectors.SelectorKey]:
        """Return all registrations, by descriptor or by object."""
        return self._map

    @override
    def close(self) -> None:
        """Forget all registrations."""
        self._keys.clear()
        self._places.clear()
        self._writers.clear()

    @override
    def select(self, timeout: float | None = None) -> Ready:
        """Return what is ready; virtual time may move until something is."""
        return self.pace(timeout)

    def ready(self) -> Ready:
        """Return what is ready now, in the order of registration."""
        if not self._readable and not self._writers:
            return []
        masks: dict[int, int] = {}
        for number in self._readable:
            key = self._keys.get(number)
            if key is not None and key.events & selectors.EVENT_READ:
                masks[number] = selectors.EVENT_READ
        for number in self._writers:
            watched = self._sockets.get(number)
            if watched is not None and watched.writable:
                masks[number] = masks.get(number, 0) | selectors.EVENT_WRITE
        order = sorted(masks, key=self._places.__getitem__) if masks else ()
        return [(self._keys[number], masks[number]) for number in order]

    def _put(
        self, fileobj: FileObject, number: int, events: int, data: Any
    ) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, number, events, data)
        self._keys[number] = key
        if events & selectors.EVENT_WRITE:
            self._writers.add(number)
        else:
            self._writers.discard(number)
        return key


class _KeyMap(Mapping[Any, selectors.SelectorKey]):
    """Registrations, to be asked for by descriptor or by object.

    asyncio up to 3.12.1 asks ``get_key``, later releases ask this.
    """

    def __init__(self, keys: dict[int, selectors.SelectorKey]) -> None:
        self._keys = keys

    @override
    def __getitem__(self, fileobj: FileObject) -> selectors.SelectorKey:
        return self._keys[_number(fileobj)]

    @override
    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)

    @override
    def __len__(self) -> int:
        return len(self._keys)


def _number(fileobj: FileObject) -> int:
    return fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
