"""Host names to addresses, by the system or by aiodns.

Names come in, lists of ``ResolveResult`` go out. Nothing is kept: see ``names``.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from windtunnel._base.compat import override
from windtunnel.abc import AbstractResolver, ResolveResult

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class ThreadedResolver(AbstractResolver):
    """Asks the operating system, in a thread of the loop's.

    Args:
        loop: The loop to use, the running one if not given.

    Raises:
        RuntimeError: None was given and none is running.

    Compat: aiohttp's ThreadedResolver.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    @override
    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        """Look a name up; see ``AbstractResolver``."""
        infos = await self._loop.getaddrinfo(
            host,
            port,
            type=socket.SOCK_STREAM,
            family=family,
            flags=socket.AI_ADDRCONFIG,
        )
        return [
            _result(host, found, protocol, address)
            for found, _, protocol, _, address in infos
        ]

    @override
    async def close(self) -> None:
        """Do nothing: it holds nothing."""


#: What connectors use by themselves. Compat: aiohttp takes AsyncResolver if it finds
#: aiodns, so that installing a package changes how every name is looked up.
DefaultResolver = ThreadedResolver


class AsyncResolver(AbstractResolver):
    """Asks name servers itself, by aiodns, without threads.

    Resolvers that are made without arguments for aiodns share one per loop.

    Args:
        loop: The loop to use, the running one if not given.
        *args: For ``aiodns.DNSResolver``.
        **kwargs: For ``aiodns.DNSResolver``.

    Raises:
        RuntimeError: aiodns is not installed, or no loop is running.

    Compat: aiohttp's AsyncResolver.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._is_shared = not (args or kwargs)
        if self._is_shared:
            self._resolver = _borrow(self._loop)
        else:
            self._resolver = _new_resolver(*args, loop=self._loop, **kwargs)

    @override
    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        """Look a name up; see ``AbstractResolver``.

        Raises:
            RuntimeError: The resolver was closed.
        """
        if self._resolver is None:
            msg = "Resolver is closed"
            raise RuntimeError(msg)
        try:
            answer = await self._resolver.getaddrinfo(
                host,
                port=port,
                type=socket.SOCK_STREAM,
                family=family,
                flags=socket.AI_ADDRCONFIG,
            )
        except Exception as exc:
            # aiodns.error.DNSError is no OSError.
            text = exc.args[1] if len(exc.args) > 1 else "DNS lookup failed"
            raise OSError(None, text) from exc
        results = [
            _result(host, node.family, 0, _decoded(node.addr)) for node in answer.nodes
        ]
        if not results:
            raise OSError(None, "DNS lookup failed")
        return results

    @override
    async def close(self) -> None:
        """Let go of aiodns; harmless if repeated."""
        resolver, self._resolver = self._resolver, None
        if resolver is None:
            return
        if self._is_shared:
            _give_back(self._loop)
        else:
            resolver.cancel()


# Resolver and number of users, by loop.
_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Any, int]] = (
    WeakKeyDictionary()
)


def _new_resolver(*args: Any, **kwargs: Any) -> Any:
    try:
        # An optional package, which only this class needs.
        import aiodns  # type: ignore[import-not-found,unused-ignore]  # optional
    except ImportError as exc:
        msg = "AsyncResolver needs the aiodns package: pip install aiodns"
        raise RuntimeError(msg) from exc
    return cast("Any", aiodns).DNSResolver(*args, **kwargs)


def _borrow(loop: asyncio.AbstractEventLoop) -> Any:
    known = _SHARED.get(loop)
    if known is None:
        known = (_new_resolver(loop=loop), 0)
    _SHARED[loop] = (known[0], known[1] + 1)
    return known[0]


def _give_back(loop: asyncio.AbstractEventLoop) -> None:
    resolver, users = _SHARED[loop]
    if users > 1:
        _SHARED[loop] = (resolver, users - 1)
    else:
        del _SHARED[loop]
        resolver.cancel()


def _decoded(address: Iterable[Any]) -> tuple[Any, ...]:
    # c-ares gives the address as bytes.
    host, *rest = address
    return (host.decode("ascii") if isinstance(host, bytes) else host, *rest)


def _result(
    name: str, family: int, protocol: int, address: tuple[Any, ...]
) -> ResolveResult:
    host, port = address[:2]
    if len(address) > 3 and address[3]:
        # A link-local address means nothing without its interface.
        host, _ = socket.getnameinfo(
            (host, port, *address[2:4]), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        )
    return ResolveResult(
        hostname=name,
        host=str(host),
        port=int(port),
        family=family,
        proto=protocol,
        flags=_NUMERIC,
    )
