"""The public face of the pool: what a user configures, and how long it lives.

Keys and deadlines come in, connections go out. A connector belongs to one event loop
and may serve several sessions.
"""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Protocol, Self

from windtunnel._base.typedefs import UNSET, ConnectionKey, Unset
from windtunnel._base.watch import WATCH
from windtunnel._policy.deadline import NEVER
from windtunnel._transport.failures import ClosedHere, Disconnected, TransportFailure
from windtunnel._transport.pool import Pool
from windtunnel._transport.tls import TlsSetting, check_ssl_argument

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from windtunnel._base.watch import Watch
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._transport.connection import Connection
    from windtunnel._transport.dial import Deadlines
    from windtunnel._transport.handle import Connection as Handle

DEFAULT_KEEPALIVE_SECONDS = 15.0


class Asker(Protocol):
    """What ``connect`` asks of a request."""

    @property
    def connection_key(self) -> ConnectionKey:
        """What the connection has to match."""
        ...

    def explain(
        self, failure: BaseException, connector: BaseConnector, timeout: ClientTimeout
    ) -> BaseException:
        """Translate why there is none."""
        ...


class BaseConnector:
    """Keeps connections for later and limits how many there are.

    Args:
        keepalive_timeout: Seconds an idle connection may wait for its next request;
            None for as long as the server keeps it. 15 if not given.
        force_close: Close every connection after its first response.
        limit: Connections in use at a time, 0 for any number. Idle ones do not count.
        limit_per_host: The same for each host, port, kind of TLS and proxy; 0 for any
            number.
        enable_cleanup_closed: Deprecated and ignored: TLS connections that will not
            close are cut anyway.
        loop: The loop to belong to, the running one if not given.
        timeout_ceil_threshold: From how many seconds of keepalive_timeout on idle
            connections are closed at whole seconds.

    Attributes:
        allowed_protocol_schema_set: Schemes of the URLs that it can connect to; the
            empty one stands for URLs relative to a session's base_url.

    Raises:
        ValueError: A number is negative, or both keepalive_timeout and force_close
            were given.
        RuntimeError: No event loop is running.
    """

    allowed_protocol_schema_set: frozenset[str] = frozenset(
        {"", "http", "https", "ws", "wss"}
    )

    def __init__(
        self,
        *,
        keepalive_timeout: float | Unset | None = UNSET,
        force_close: bool = False,
        limit: int = 100,
        limit_per_host: int = 0,
        enable_cleanup_closed: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        timeout_ceil_threshold: float = 5,
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
        if enable_cleanup_closed:
            warnings.warn(
                "enable_cleanup_closed is ignored: no connection needs it",
                DeprecationWarning,
                stacklevel=3,
            )
        self._limit = limit
        self._limit_per_host = limit_per_host
        self._force_close = force_close
        self._ssl: TlsSetting = True
        self._loop = loop or asyncio.get_running_loop()
        self._pool = Pool(
            self._loop,
            limit=limit,
            limit_per_host=limit_per_host,
            keepalive_seconds=keepalive_timeout,
            force_close=force_close,
            ceil_threshold=timeout_ceil_threshold,
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
    def _conns(self) -> Mapping[object, Iterable[tuple[Any, float]]]:
        """No connections, whatever the pool holds.

        Compat: programs that copied an old recipe look here for TLS transports, to wait
        until they are closed; here ``close`` of the session waits for all of them.
        """
        return {}

    @property
    def pool(self) -> Pool:
        """The connections; for the client's own layers."""
        return self._pool

    def tls_setting(self, value: TlsSetting | None) -> TlsSetting:
        """Say what a request's ``ssl`` means here: True leaves it to the connector.

        Raises:
            TypeError: It is none of True, False, None, a context and a fingerprint.
        """
        checked = check_ssl_argument(value)
        return self._ssl if checked is True else checked

    async def connect(
        self,
        req: Asker,
        traces: Sequence[Any],
        timeout: ClientTimeout,  # noqa: ASYNC109  # API
    ) -> Handle:
        """Make or reuse a connection, for instance to have one before it is needed.

        Args:
            req: A ``ClientRequest`` for which it is.
            traces: Not used; sessions watch their own requests.
            timeout: How long it may take, by ``connect`` and ``sock_connect``.

        Returns:
            The connection; ``release`` it into the pool, or ``close`` it.

        Raises:
            ClientConnectionError: It cannot be made.
        """
        from windtunnel._transport.dial import Deadlines
        from windtunnel._transport.handle import Connection as Handle

        key = req.connection_key
        key = key._replace(ssl=self.tls_setting(key.ssl))
        deadlines = Deadlines.begin(self._loop.time(), NEVER, timeout)
        try:
            connection = await self.acquire(key, deadlines)
        except TransportFailure as failure:
            error = req.explain(failure, self, timeout)
            raise error from error.__cause__
        return Handle(self, key, connection, self._loop)

    async def acquire(
        self, key: ConnectionKey, deadlines: Deadlines, watch: Watch | None = None
    ) -> Connection:
        """Wait for a place, then use an idle connection or make one.

        The place is the connection's from now on; it gives it back when it is done.

        Args:
            key: What it has to match.
            deadlines: When to give up.
            watch: Hears of what happens.

        Raises:
            TransportFailure: No connection in time, or none at all.
        """
        pool = self._pool
        hidden = None if WATCH.get() is watch else WATCH.set(watch)
        try:
            is_queued = watch is not None and pool.must_wait(key)
            if watch is not None and is_queued:
                await watch.emit("connection_queued_start")
            if not pool.reserve_now(key):
                await pool.reserve(key, *deadlines.earliest())
            try:
                if watch is not None:
                    return await self._find_watched(key, deadlines, watch, is_queued)
                connection = pool.pop_idle(key, self._loop.time())
                if connection is None:
                    connection = await self._dial(key, deadlines)
                    self._check_new(connection)
            except BaseException:
                pool.vacate(key)
                raise
            return connection
        finally:
            if hidden is not None:
                WATCH.reset(hidden)

    async def _find_watched(
        self, key: ConnectionKey, deadlines: Deadlines, watch: Watch, is_queued: bool
    ) -> Connection:
        """Use an idle connection or make one, and tell whoever watches."""
        if is_queued:
            await watch.emit("connection_queued_end")
        connection = self._pool.pop_idle(key, self._loop.time())
        if connection is not None:
            await _tell_of_reuse(connection, watch)
            return connection
        await watch.emit("connection_create_start")
        connection = await self._dial(key, deadlines)
        try:
            await watch.emit("connection_create_end")
        except BaseException:
            connection.shut(ClosedHere("Connector is closed."))
            raise
        self._check_new(connection)
        return connection

    def _check_new(self, connection: Connection) -> None:
        """Refuse a connection that cannot be used after all."""
        if self._pool.is_closed:
            connection.shut(ClosedHere("Connector is closed."))
            raise ClosedHere("Connector is closed.")
        if not connection.is_usable():
            connection.cut()
            raise Disconnected(None, has_answer=False)

    def _dial(
        self, key: ConnectionKey, deadlines: Deadlines
    ) -> Coroutine[Any, Any, Connection]:
        """Make a connection; each kind of connector has its way.

        Raises:
            TransportFailure: It cannot be made.
        """
        raise NotImplementedError

    def close(self, *, abort_ssl: bool = False) -> Coroutine[Any, Any, None]:
        """Close all connections at once; requests in flight fail.

        Args:
            abort_ssl: Cut TLS connections, too, rather than say goodbye. It is what
                happens anyway, unless the connector has an ssl_shutdown_timeout.

        Returns:
            What to await until they are closed.
        """
        return self._pool.close()

    def __enter__(self) -> Self:
        warnings.warn(
            '"with Connector():" is deprecated, use "async with Connector():" instead',
            DeprecationWarning,
            stacklevel=2,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.drop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        exc_traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        pool = getattr(self, "_pool", None)
        if pool is None or pool.is_closed or not pool.has_idle:
            return
        idle = pool.idle_connections()
        warnings.warn(
            f"Unclosed connector {self!r} with {', '.join(map(repr, idle))}",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
        if not self._loop.is_closed():
            self._loop.call_exception_handler(
                {
                    "connector": self,
                    "connections": idle,
                    "message": "Unclosed connector",
                }
            )
            pool.drop()


async def _tell_of_reuse(connection: Connection, watch: Watch) -> None:
    """Tell whoever watches of a connection that came while waiting for a place."""
    try:
        await watch.emit("connection_reuseconn")
    except BaseException:
        connection.shut(ClosedHere("Connection closed"))
        raise
    if not connection.is_usable():
        raise Disconnected(None, has_answer=False)
