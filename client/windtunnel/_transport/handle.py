"""A connection as users of the compatible API see it: a hold that can be given back.

A connection of the pool comes in; what users may do with it goes out. The pool's own
object serves one request after another, so a handle forgets it when its turn is over.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from windtunnel._base.compat import override
from windtunnel._transport.failures import ClosedHere

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from windtunnel._base.typedefs import ConnectionKey
    from windtunnel._transport.connection import Connection as PooledConnection
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.settings import Answer


class Connection:
    """The right to use one connection, for one exchange.

    ``BaseConnector.connect`` gives one that is to be released or closed;
    ``ClientResponse.connection`` shows the one that the body comes from.

    Args:
        connector: Where it goes when it is released, None if the exchange decides.
        key: What it is connected to.
        protocol: The connection of the pool, None if its turn is over already.
        loop: Its loop.

    Compat: aiohttp's ``connector.Connection``.
    """

    __slots__ = (
        "__weakref__",
        "_callbacks",
        "_connector",
        "_key",
        "_loop",
        "_protocol",
        "_token",
    )

    def __init__(
        self,
        connector: BaseConnector | None,
        key: ConnectionKey,
        protocol: PooledConnection | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._connector = connector
        self._key = key
        self._protocol = protocol
        self._loop = loop
        self._callbacks: list[Callable[[], object]] = []
        self._token: asyncio.Future[Answer] | None = None

    @override
    def __repr__(self) -> str:
        return f"Connection<{self._key}>"

    def __bool__(self) -> bool:
        return True

    def serve(self, token: asyncio.Future[Answer]) -> None:
        """Hear which answer it brings, and end with it; for the client's own layers."""
        self._token = token
        self._connector = None

    def end(self) -> None:
        """Hear that the exchange is over; for the client's own layers."""
        self._protocol = None
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            with suppress(Exception):
                callback()

    def _serving(self) -> PooledConnection | None:
        protocol, token = self._protocol, self._token
        if protocol is not None and token is not None and not protocol.serves(token):
            self.end()
        return self._protocol

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the connection; deprecated."""
        warnings.warn(
            "connector.loop property is deprecated", DeprecationWarning, stacklevel=2
        )
        return self._loop

    @property
    def protocol(self) -> PooledConnection | None:
        """What the loop calls for the transport, None once the turn is over."""
        return self._serving()

    @property
    def transport(self) -> asyncio.Transport | None:
        """The transport, to ask it for ``get_extra_info``; None once it is over."""
        protocol = self._serving()
        return None if protocol is None else protocol.transport

    @property
    def closed(self) -> bool:
        """Whether it can be used no more."""
        transport = self.transport
        return transport is None or transport.is_closing()

    def add_callback(self, callback: Callable[[], object] | None) -> None:
        """Have a function called when the turn is over; what it raises is dropped."""
        if callback is not None:
            self._callbacks.append(callback)

    def close(self) -> None:
        """Close the connection. Harmless if repeated."""
        protocol = self._serving()
        if protocol is None:
            return
        if self._token is not None:
            protocol.abandon(self._token)
        else:
            protocol.shut(ClosedHere("Connection closed"))
            self._vacate()
        self.end()

    def release(self) -> None:
        """Give the connection back; in the middle of an exchange that closes it.

        Harmless if repeated.
        """
        protocol, connector = self._serving(), self._connector
        if protocol is None or connector is None or not protocol.is_usable():
            self.close()
            return
        connector.pool.put_back(protocol)
        self.end()

    def _vacate(self) -> None:
        if self._connector is not None:
            self._connector.pool.vacate(self._key)

    def __del__(self) -> None:
        if self._protocol is None or self._connector is None:
            return
        warnings.warn(
            f"Unclosed connection {self!r}", ResourceWarning, stacklevel=2, source=self
        )
        if self._loop.is_closed():
            return
        self._loop.call_exception_handler(
            {"client_connection": self, "message": "Unclosed connection"}
        )
        self.close()
