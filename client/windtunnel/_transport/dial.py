"""Make a connection: resolve the name, race the addresses, tunnel, do TLS.

A key and deadlines come in, a ready ``Connection`` goes out, or a failure that says
what was being done. It knows nothing of requests and keeps nothing.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from aiohappyeyeballs import (
    start_connection,  # pyright: ignore[reportUnknownVariableType]  # a bare tuple in it
)

from windtunnel._base.fingerprint import Fingerprint
from windtunnel._base.typedefs import ConnectionKey
from windtunnel._policy.deadline import deadline_at, earliest
from windtunnel._transport.connection import Connection
from windtunnel._transport.failures import ClosedHere, DialFailed, Phase, TimedOut
from windtunnel._transport.tls import TlsSetting, context_for
from windtunnel._transport.tunnel import TunnelRequest
from windtunnel.errors.connection import ServerFingerprintMismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from windtunnel._base.typedefs import (
        AddrInfoType,
        ProxyRoute,
        SocketFactoryType,
    )
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._transport.names import Names
    from windtunnel._transport.pool import Pool

_T = TypeVar("_T")
_NO_TLS: dict[str, Any] = {}
_P = TypeVar("_P", bound=asyncio.BaseProtocol)


class DialSettings(NamedTuple):
    """How a connector makes its connections.

    Attributes:
        names: Whom to ask for addresses.
        local_addr: Host and port to connect from, None for any.
        happy_eyeballs_delay: Seconds before the next address is tried as well; None
            for one address after the other.
        interleave: How many addresses of the first family go first.
        socket_factory: Makes the sockets, None for the usual ones.
        ssl_shutdown_timeout: Seconds that a TLS closure may take, None for the loop's.
    """

    names: Names
    local_addr: tuple[str, int] | None = None
    happy_eyeballs_delay: float | None = 0.25
    interleave: int | None = None
    socket_factory: SocketFactoryType | None = None
    ssl_shutdown_timeout: float | None = None


class Deadlines(NamedTuple):
    """When a request has to give up making its connection.

    Attributes:
        total_at: End of the whole exchange, on the loop's clock.
        connect_at: End of waiting for a place and dialling.
        sock_connect: Seconds for TCP and TLS.
        ceil_threshold: From how many seconds on deadlines are moved to whole ones.
    """

    total_at: float
    connect_at: float
    sock_connect: float | None
    ceil_threshold: float

    @classmethod
    def begin(cls, now: float, total_at: float, timeout: ClientTimeout) -> Deadlines:
        """Start the clock of ``connect`` for a request."""
        connect_at = deadline_at(now, timeout.connect, timeout.ceil_threshold)
        return cls(total_at, connect_at, timeout.sock_connect, timeout.ceil_threshold)

    def earliest(self) -> tuple[float, str]:
        """Say when waiting for a place or for the resolver ends, and by which limit."""
        return earliest((self.total_at, "total"), (self.connect_at, "connect"))

    def earliest_of_attempt(self, now: float) -> tuple[float, str]:
        """Say the same for an attempt to connect that begins now."""
        attempt_at = deadline_at(now, self.sock_connect, self.ceil_threshold)
        return earliest(self.earliest(), (attempt_at, "sock_connect"))


def dial(
    pool: Pool, key: ConnectionKey, settings: DialSettings, deadlines: Deadlines
) -> Coroutine[Any, Any, Connection]:
    """Connect to what the key names, when awaited.

    Raises:
        ClosedHere: The pool was closed meanwhile.
        TimedOut: A deadline passed.
        DialFailed: A name cannot be resolved, nobody answers, or TLS fails.
        ProxyRefused: The proxy makes no tunnel.
        ServerFingerprintMismatch: The certificate is another one than the pinned one.
    """
    dialler = _Dialler(pool, settings, deadlines)
    proxy = key.proxy
    if proxy is None:
        return dialler.open(key, partial(Connection, pool, key, dialler.loop))
    # A pinned certificate is the target's.
    tls = True if isinstance(key.ssl, Fingerprint) else key.ssl
    hop = ConnectionKey(proxy.host, proxy.port, proxy.is_ssl, tls, None, None, None)
    if not proxy.is_tunnel:
        make = partial(Connection, pool, key, dialler.loop)
        return dialler.open(hop, make, is_proxy=True)
    return dialler.tunnel(key, proxy, hop)


async def until(
    deadline: tuple[float, str], phase: Phase, pool: Pool, work: Coroutine[Any, Any, _T]
) -> _T:
    """Await ``work``, but not beyond the deadline nor the end of the pool."""
    if pool.is_closed:
        work.close()
        raise ClosedHere("Connector is closed.")
    # It does not run out by itself: the pool has one timer for all that wait.
    limit = asyncio.timeout(None)
    when, kind = deadline
    try:
        async with limit:
            pool.limit_dial(limit, when)
            return await work
    except TimeoutError as exc:
        # The operating system has a TimeoutError of its own, which is no deadline.
        if not limit.expired():
            raise
        if pool.is_closed:
            raise ClosedHere("Connector is closed.") from exc
        raise TimedOut(kind, phase) from exc
    finally:
        pool.dial_ended(limit)


class _Dialler:
    """What one ``dial`` carries through its steps."""

    __slots__ = ("_deadlines", "_pool", "_settings", "_used", "loop")

    def __init__(
        self, pool: Pool, settings: DialSettings, deadlines: Deadlines
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._deadlines = deadlines
        self._used: AddrInfoType | None = None
        self.loop = asyncio.get_running_loop()

    def open(
        self, hop: ConnectionKey, make: Callable[[], _P], *, is_proxy: bool = False
    ) -> Coroutine[Any, Any, _P]:
        """Connect to one host, by any of its addresses, with its TLS, when awaited."""
        addresses = self._settings.names.at_hand(hop.host, hop.port)
        if addresses is not None and len(addresses) == 1:
            # Most dials: each frame that waits costs, with thousands of requests held.
            return self._try(addresses, hop, make, is_proxy)
        return self._open_any(addresses, hop, make, is_proxy)

    async def _open_any(
        self,
        addresses: list[AddrInfoType] | None,
        hop: ConnectionKey,
        make: Callable[[], _P],
        is_proxy: bool,
    ) -> _P:
        """Look for addresses if there are none, and try them.

        An address that answers but whose TLS fails is not the last word: the others
        are tried, each within ``sock_connect``.
        """
        if addresses is None:
            addresses = await self._look_up(hop)
        while True:
            try:
                return await self._try(addresses, hop, make, is_proxy)
            except TimedOut as exc:
                left = self._others(addresses)
                if not left or exc.kind != "sock_connect":
                    raise
            except (DialFailed, ServerFingerprintMismatch):
                if not (left := self._others(addresses)):
                    raise
            addresses = left

    def _try(
        self,
        addresses: list[AddrInfoType],
        hop: ConnectionKey,
        make: Callable[[], _P],
        is_proxy: bool,
    ) -> Coroutine[Any, Any, _P]:
        """Make one attempt, in its time."""
        deadline = self._deadlines.earliest_of_attempt(self.loop.time())
        attempt = self._attempt(addresses, hop, make, is_proxy)
        return until(deadline, Phase.CONNECT, self._pool, attempt)

    async def _look_up(self, hop: ConnectionKey) -> list[AddrInfoType]:
        names = self._settings.names
        try:
            return await until(
                self._deadlines.earliest(),
                Phase.RESOLVE,
                self._pool,
                names.look_up(hop.host, hop.port),
            )
        except (OSError, UnicodeError) as exc:
            error = exc if isinstance(exc, OSError) else OSError(None, str(exc))
            raise DialFailed(error, hop, is_dns=True) from exc

    def _others(self, addresses: list[AddrInfoType]) -> list[AddrInfoType]:
        """Say what is left to try after an attempt: nothing if no address answered."""
        used = self._used
        return [] if used is None else [info for info in addresses if info is not used]

    async def _attempt(
        self,
        addresses: list[AddrInfoType],
        hop: ConnectionKey,
        make: Callable[[], _P],
        is_proxy: bool,
    ) -> _P:
        """Connect to the first address that answers, which ``_used`` is afterwards."""
        self._used = sock = None
        settings = self._settings
        try:
            if len(addresses) > 1 or settings.local_addr is not None:
                sock = await self._race(addresses)
            else:
                # A race of one would cost more than all the rest.
                (info,) = addresses
                sock = (settings.socket_factory or _new_socket)(info)
                sock.setblocking(False)
                await self.loop.sock_connect(sock, info[4])
            tls = self._tls_options(hop) if hop.is_ssl else _NO_TLS
            transport, protocol = await self.loop.create_connection(
                make, sock=sock, **tls
            )
        except BaseException as exc:
            if sock is not None:
                # Harmless if the transport has closed it already.
                sock.close()
            if isinstance(exc, OSError):
                raise DialFailed(exc, hop, is_proxy=is_proxy) from exc
            raise
        _check_certificate(hop.ssl, transport)
        return protocol

    async def _race(self, addresses: list[AddrInfoType]) -> socket.socket:
        """Race the addresses; return the first socket that connects."""
        settings = self._settings
        local: Any = None
        if settings.local_addr is not None:
            local = await self.loop.getaddrinfo(
                *settings.local_addr, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        factory = settings.socket_factory or _new_socket
        made: dict[socket.socket, AddrInfoType] = {}

        def make(info: AddrInfoType) -> socket.socket:
            sock = factory(info)
            made[sock] = info
            return sock

        task = asyncio.current_task()
        assert task is not None
        cancellations = task.cancelling()
        sock = await start_connection(
            addresses,
            local_addr_infos=local,
            happy_eyeballs_delay=settings.happy_eyeballs_delay,
            interleave=settings.interleave,
            loop=self.loop,
            socket_factory=make,
        )
        if task.cancelling() > cancellations:
            # While it waits for the attempts that lost, it takes a cancellation of the
            # caller for the one that it made itself.
            sock.close()
            raise asyncio.CancelledError
        self._used = made[sock]
        return sock

    def _tls_options(self, key: ConnectionKey) -> dict[str, Any]:
        return {
            "ssl": context_for(key.ssl),
            "server_hostname": key.server_hostname or key.host.rstrip("."),
            "ssl_shutdown_timeout": self._settings.ssl_shutdown_timeout,
        }

    async def tunnel(
        self, key: ConnectionKey, proxy: ProxyRoute, hop: ConnectionKey
    ) -> Connection:
        """Connect to a proxy, and from there to the target."""
        request = await self.open(hop, partial(TunnelRequest, self.loop), is_proxy=True)
        transport = request.transport
        assert transport is not None
        try:
            return await self._pass_on(transport, request, key, proxy, hop)
        except BaseException:
            transport.abort()
            raise

    async def _pass_on(
        self,
        transport: asyncio.Transport,
        request: TunnelRequest,
        key: ConnectionKey,
        proxy: ProxyRoute,
        hop: ConnectionKey,
    ) -> Connection:
        """Make a connection to a proxy one to the target."""
        deadlines, loop = self._deadlines, self.loop
        deadline = deadlines.earliest_of_attempt(loop.time())
        try:
            await until(deadline, Phase.TUNNEL, self._pool, request.ask(key, proxy))
        except OSError as exc:
            raise DialFailed(exc, hop, is_proxy=True) from exc
        connection = Connection(self._pool, key, loop)
        inner: asyncio.Transport | None = transport
        if key.is_ssl:
            deadline = deadlines.earliest_of_attempt(loop.time())
            try:
                inner = await until(
                    deadline,
                    Phase.CONNECT,
                    self._pool,
                    self._start_tls(transport, connection),
                )
            except OSError as exc:
                raise DialFailed(exc, key) from exc
        else:
            transport.set_protocol(connection)
        if inner is None or inner.is_closing():
            lost = ConnectionResetError(errno.ECONNRESET, "the tunnel was closed")
            raise DialFailed(lost, key)
        connection.connection_made(inner)
        if not key.is_ssl:
            transport.resume_reading()
        _check_certificate(key.ssl, inner)
        return connection

    async def _start_tls(
        self, transport: asyncio.Transport, connection: Connection
    ) -> asyncio.Transport | None:
        key = connection.key
        options = self._tls_options(key)
        return await self.loop.start_tls(
            transport, connection, options.pop("ssl"), **options
        )


def _check_certificate(tls: TlsSetting, transport: asyncio.Transport) -> None:
    if isinstance(tls, Fingerprint):
        try:
            tls.check(transport)
        except ServerFingerprintMismatch:
            transport.abort()
            raise


def _new_socket(info: AddrInfoType) -> socket.socket:
    return socket.socket(*info[:3])
