"""The public face of the pool: what a user configures, and how long it lives.

Keys and deadlines come in, connections go out. A connector belongs to one event loop
and may serve several sessions.
"""

from __future__ import annotations

import asyncio
import socket
import warnings
from typing import TYPE_CHECKING, Self

from windtunnel._base.typedefs import UNSET, ConnectionKey, Unset
from windtunnel._transport.dial import Deadlines, DialSettings, dial
from windtunnel._transport.failures import ClosedHere, Disconnected
from windtunnel._transport.pool import Pool
from windtunnel._transport.tls import check_ssl_argument

if TYPE_CHECKING:
    from ssl import SSLContext
    from types import TracebackType

    from windtunnel._transport.connection import Connection

DEFAULT_KEEPALIVE_SECONDS = 15.0


class BaseConnector:
    """Keeps connections for later and limits how many there are.

    Args:
        keepalive_timeout: Seconds an idle connection may wait for its next request;
            None for as long as the server keeps it. 15 if not given.
        force_close: Close every connection after its first response.
        limit: Connections in use at a time, 0 for any number. Idle ones do not count.
        limit_per_host: The same for each host, port and kind of TLS; 0 for any number.

    Raises:
        ValueError: A number is negative, or both keepalive_timeout and force_close
            were given.
        RuntimeError: No event loop is running.
    """

    def __init__(
        self,
        *,
        keepalive_timeout: float | Unset | None = UNSET,
        force_close: bool = False,
        limit: int = 100,
        limit_per_host: int = 0,
    ) -> None:
        for name, number in (("limit", limit), ("limit_per_host", limit_per_host)):
            if number < 0:
                msg = f"{name}={number} is negative, allowed are 0 (no limit) and more"
                raise ValueError(msg)
        if keepalive_timeout is UNSET:
            keepalive_timeout = DEFAULT_KEEPALIVE_SECONDS
        elif force_close and keepalive_timeout is not None:
            msg = "keepalive_timeout cannot be set if force_close is True"
            raise ValueError(msg)
        if keepalive_timeout is not None and keepalive_timeout < 0:
            msg = f"keepalive_timeout={keepalive_timeout} is negative"
            raise ValueError(msg)
        self._limit = limit
        self._limit_per_host = limit_per_host
        self._force_close = force_close
        self._dial_settings = DialSettings()
        self._ssl: SSLContext | bool = True
        self._loop = asyncio.get_running_loop()
        self._pool = Pool(
            self._loop,
            limit=limit,
            limit_per_host=limit_per_host,
            keepalive_seconds=keepalive_timeout,
            force_close=force_close,
        )

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._pool.is_closed

    @property
    def force_close(self) -> bool:
        """Whether connections are closed after their first response."""
        return self._force_close

    @property
    def limit(self) -> int:
        """Connections in use at a time, 0 for any number."""
        return self._limit

    @property
    def limit_per_host(self) -> int:
        """Connections in use at a time to one host, 0 for any number."""
        return self._limit_per_host

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop this connector belongs to."""
        return self._loop

    @property
    def pool(self) -> Pool:
        """The connections; for the client's own layers."""
        return self._pool

    def tls_setting(self, value: SSLContext | bool | None) -> SSLContext | bool:
        """Say what a request's ``ssl`` means here: True leaves it to the connector.

        Raises:
            TypeError: It is none of True, False, None and a context.
        """
        checked = check_ssl_argument(value)
        return self._ssl if checked is True else checked

    async def acquire(self, key: ConnectionKey, deadlines: Deadlines) -> Connection:
        """Wait for a place, then use an idle connection or make one.

        The place is the connection's from now on; it gives it back when it is done.

        Raises:
            TransportFailure: No connection in time, or none at all.
        """
        pool = self._pool
        await pool.reserve(key, *deadlines.earliest())
        try:
            connection = pool.pop_idle(key, self._loop.time())
            if connection is None:
                connection = await dial(pool, key, self._dial_settings, deadlines)
                if pool.is_closed:
                    failure = ClosedHere("Connector is closed.")
                    connection.shut(failure)
                    raise failure
                if not connection.is_usable():
                    raise Disconnected(None, has_answer=False)
        except BaseException:
            pool.vacate(key)
            raise
        return connection

    async def close(self) -> None:
        """Close all connections and wait until they are; requests in flight fail."""
        await self._pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        pool = getattr(self, "_pool", None)
        if pool is None or pool.is_closed or not pool.has_idle:
            return
        warnings.warn(
            f"Unclosed connector {self!r}",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
        if not self._loop.is_closed():
            self._loop.call_exception_handler(
                {"connector": self, "message": "Unclosed connector"}
            )
            pool.drop()


class TCPConnector(BaseConnector):
    """Makes TCP connections, with TLS for https.

    Args:
        ssl: True for verification against the system's trust roots, False for none, or
            an ``ssl.SSLContext``; a request's own value wins unless it is True.
        family: Address family, ``socket.AF_UNSPEC`` for any.
        local_addr: Host and port to connect from.
        happy_eyeballs_delay: Seconds before the next address is tried as well (RFC
            8305); None for one address after the other.
        interleave: How many addresses of the first family go first.
        keepalive_timeout: As in ``BaseConnector``, like the rest.
        force_close: As there.
        limit: As there.
        limit_per_host: As there.

    Raises:
        TypeError: ``ssl`` is something else.
        ValueError: As in ``BaseConnector``.
    """

    def __init__(
        self,
        *,
        ssl: SSLContext | bool | None = True,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        local_addr: tuple[str, int] | None = None,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
        keepalive_timeout: float | Unset | None = UNSET,
        force_close: bool = False,
        limit: int = 100,
        limit_per_host: int = 0,
    ) -> None:
        super().__init__(
            keepalive_timeout=keepalive_timeout,
            force_close=force_close,
            limit=limit,
            limit_per_host=limit_per_host,
        )
        self._ssl = check_ssl_argument(ssl)
        self._dial_settings = DialSettings(
            family, local_addr, happy_eyeballs_delay, interleave
        )
