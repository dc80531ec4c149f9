"""The addresses of host names, kept for a while and asked for once.

Host names come in, addresses in the shape of ``getaddrinfo`` go out. One object belongs
to one connector. Concurrent look-ups of a name are one look-up, which goes on when the
request that began it is cancelled.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from windtunnel._base.watch import WATCH
from windtunnel._policy.deadline import NEVER
from windtunnel._transport.failures import ClosedHere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windtunnel._base.typedefs import AddrInfoType
    from windtunnel.abc import AbstractResolver

    _Name = tuple[str, int]

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class _Entry:
    """Addresses of one name; each use begins with another of them."""

    __slots__ = ("_infos", "_turn", "expires")

    def __init__(self, infos: list[AddrInfoType], expires: float) -> None:
        self._infos = infos
        self._turn = 0
        self.expires = expires

    def next(self) -> list[AddrInfoType]:
        turn = self._turn
        self._turn = (turn + 1) % len(self._infos)
        return self._infos[turn:] + self._infos[:turn]


class Names:
    """Looks names up for one connector.

    Args:
        loop: The connector's.
        resolver: Whom to ask.
        family: Address family to ask for.
        is_cached: Whether to keep addresses and to merge look-ups.
        ttl: Seconds to keep addresses, None for ever.
        capacity: Names to keep, the least recently used go first.
    """

    __slots__ = (
        "_capacity",
        "_entries",
        "_is_cached",
        "_loop",
        "_pending",
        "_resolver",
        "_ttl",
        "family",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        resolver: AbstractResolver,
        *,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        is_cached: bool = True,
        ttl: float | None = 10,
        capacity: int = 1000,
    ) -> None:
        self._loop = loop
        self._resolver = resolver
        self.family = family
        self._is_cached = is_cached
        self._ttl = NEVER if ttl is None else ttl
        self._capacity = capacity
        self._entries: OrderedDict[_Name, _Entry] = OrderedDict()
        self._pending: dict[_Name, asyncio.Task[_Entry]] = {}

    @property
    def is_cached(self) -> bool:
        """Whether addresses are kept."""
        return self._is_cached

    def at_hand(self, host: str, port: int) -> list[AddrInfoType] | None:
        """Give the addresses of a host if nobody has to be asked or told, else None."""
        family = _family_of(host)
        if family is not None:
            return [_info(family, host, port)]
        return self._kept((_rooted(host), port)) if WATCH.get() is None else None

    def _kept(self, key: _Name) -> list[AddrInfoType] | None:
        entry = self._entries.get(key)
        if entry is None or self._loop.time() >= entry.expires:
            return None
        self._entries.move_to_end(key)
        return entry.next()

    async def look_up(self, host: str, port: int) -> list[AddrInfoType]:
        """Give the addresses of a host, at least one.

        Raises:
            OSError: It has none.
            ClosedHere: The connector was closed meanwhile.
            UnicodeError: It cannot be a host name.
        """
        name = _rooted(host)
        if (literal := await self._literal(name, port)) is not None:
            return literal
        watch = WATCH.get()
        key = (name, port)
        if (infos := self._kept(key)) is not None:
            if watch is not None:
                await watch.emit("dns_cache_hit", host)
            return infos
        if watch is None:
            return await self._ask(key)
        if self._is_cached and key in self._pending:
            await watch.emit("dns_cache_hit", host)
            return await self._ask(key)
        if self._is_cached:
            await watch.emit("dns_cache_miss", host)
        await watch.emit("dns_resolvehost_start", host)
        infos = await self._ask(key)
        await watch.emit("dns_resolvehost_end", host)
        return infos

    async def _ask(self, key: _Name) -> list[AddrInfoType]:
        """Look a name up, together with whoever does so at the moment."""
        if not self._is_cached:
            return await self._resolve(*key)
        task = self._pending.get(key)
        if task is None:
            task = self._pending[key] = self._loop.create_task(self._fetch(key))
            task.add_done_callback(lambda done: self._fetched(key, done))
        try:
            entry = await asyncio.shield(task)
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not task.cancelled() or (current and current.cancelling()):
                raise
            raise ClosedHere("Connector is closed.") from None
        return entry.next()

    async def _literal(self, name: str, port: int) -> list[AddrInfoType] | None:
        """Give the address that a name is, None if it is a name."""
        address, _, zone = name.partition("%")
        family = _family_of(address)
        if family is not None and zone:
            # Only the system knows the number of an interface.
            infos: list[Any] = await self._loop.getaddrinfo(
                name, port, type=socket.SOCK_STREAM, flags=_NUMERIC
            )
            return infos
        return None if family is None else [_info(family, name, port)]

    async def _resolve(self, name: str, port: int) -> list[AddrInfoType]:
        results = await self._resolver.resolve(name, port, family=self.family)
        infos: list[AddrInfoType] = []
        for result in results:
            if "%" in result["host"]:
                infos += await self._literal(result["host"], result["port"]) or ()
            else:
                infos.append(_info(result["family"], result["host"], result["port"]))
        if not infos:
            raise OSError(None, f"no address for host {name[:40]!r}")
        return infos

    async def _fetch(self, key: _Name) -> _Entry:
        infos = await self._resolve(*key)
        entry = _Entry(infos, self._loop.time() + self._ttl)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return entry

    def _fetched(self, key: _Name, task: asyncio.Task[_Entry]) -> None:
        del self._pending[key]
        if not task.cancelled():
            # Whoever waits gets it; nobody may be left to.
            task.exception()

    def clear(self, key: tuple[str, int] | None = None) -> None:
        """Forget one host and port, or everything."""
        if key is None:
            self._entries.clear()
        else:
            self._entries.pop(key, None)

    async def close(self) -> None:
        """Forget everything, and end look-ups that nobody waits for any more."""
        self._entries.clear()
        pending = list(self._pending.values())
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)


def _rooted(host: str) -> str:
    # One dot at the end is the root of the DNS; more are nothing.
    return host.rstrip(".") + "." if host.endswith("..") else host


@lru_cache(maxsize=1024)
def _family_of(host: str) -> int | None:
    """Say of which family an address is, None for a name and for one with a zone.

    Remembered, because reading an address costs as much as sending a request.
    """
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    if "%" in host:
        return None
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def _info(family: int, address: str, port: int) -> AddrInfoType:
    tail: Sequence[int] = (0, 0) if family == socket.AF_INET6 else ()
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, *tail))
