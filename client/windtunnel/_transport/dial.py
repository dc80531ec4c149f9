"""Make a connection: resolve the name, race the addresses, do the TLS handshake.

A key and deadlines come in, a ready ``Connection`` goes out, or a failure that says
what was being done. It knows nothing of requests and keeps nothing.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from aiohappyeyeballs import (
    start_connection,  # pyright: ignore[reportUnknownVariableType]  # a bare tuple in it
)

from windtunnel._policy.deadline import NEVER, deadline_at, earliest
from windtunnel._transport.connection import Connection
from windtunnel._transport.failures import DialFailed, Phase, TimedOut
from windtunnel._transport.tls import context_for

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from windtunnel._base.typedefs import ConnectionKey
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._transport.pool import Pool

_T = TypeVar("_T")


class DialSettings(NamedTuple):
    """How a connector makes its connections.

    Attributes:
        family: Address family to ask the resolver for.
        local_addr: Host and port to connect from, None for any.
        happy_eyeballs_delay: Seconds before the next address is tried as well; None
            for one address after the other.
        interleave: How many addresses of the first family go first.
    """

    family: int = socket.AF_UNSPEC
    local_addr: tuple[str, int] | None = None
    happy_eyeballs_delay: float | None = 0.25
    interleave: int | None = None


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
        return earliest([(self.total_at, "total"), (self.connect_at, "connect")])

    def earliest_of_attempt(self, now: float) -> tuple[float, str]:
        """Say the same for an attempt to connect that begins now."""
        attempt_at = deadline_at(now, self.sock_connect, self.ceil_threshold)
        return earliest([self.earliest(), (attempt_at, "sock_connect")])


async def dial(
    pool: Pool, key: ConnectionKey, settings: DialSettings, deadlines: Deadlines
) -> Connection:
    """Connect to what the key names.

    Raises:
        TimedOut: A deadline passed.
        DialFailed: The name cannot be resolved, nobody answers, or TLS fails.
    """
    loop = asyncio.get_running_loop()
    try:
        addresses = await _until(
            deadlines.earliest(), Phase.RESOLVE, _resolve(loop, key, settings)
        )
    except (OSError, UnicodeError) as exc:
        error = exc if isinstance(exc, OSError) else OSError(None, str(exc))
        raise DialFailed(error, is_dns=True) from exc
    try:
        return await _until(
            deadlines.earliest_of_attempt(loop.time()),
            Phase.CONNECT,
            _connect(loop, pool, key, settings, addresses),
        )
    except OSError as exc:
        raise DialFailed(exc) from exc


async def _until(
    deadline: tuple[float, str], phase: Phase, work: Coroutine[Any, Any, _T]
) -> _T:
    """Await ``work``, but not beyond the deadline."""
    when, kind = deadline
    if when == NEVER:
        return await work
    limit = asyncio.timeout_at(when)
    try:
        async with limit:
            return await work
    except TimeoutError as exc:
        # The operating system has a TimeoutError of its own, which is no deadline.
        if limit.expired():
            raise TimedOut(kind, phase) from exc
        raise


async def _resolve(
    loop: asyncio.AbstractEventLoop, key: ConnectionKey, settings: DialSettings
) -> Sequence[Any]:
    host = key.host
    # One dot at the end is the root of the DNS; more are nothing.
    name = host.rstrip(".") + "." if host.endswith("..") else host
    flags = socket.AI_NUMERICHOST if _is_address(name) else socket.AI_ADDRCONFIG
    return await loop.getaddrinfo(
        name,
        key.port,
        family=settings.family,
        type=socket.SOCK_STREAM,
        flags=flags,
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


async def _connect(
    loop: asyncio.AbstractEventLoop,
    pool: Pool,
    key: ConnectionKey,
    settings: DialSettings,
    addresses: Sequence[Any],
) -> Connection:
    local = None
    if settings.local_addr is not None:
        local = await loop.getaddrinfo(
            *settings.local_addr, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    sock = await start_connection(
        addresses,
        local_addr_infos=local,
        happy_eyeballs_delay=settings.happy_eyeballs_delay,
        interleave=settings.interleave,
        loop=loop,
    )
    try:
        _, connection = await loop.create_connection(
            lambda: Connection(pool, key, loop),
            sock=sock,
            ssl=context_for(key.ssl) if key.is_ssl else None,
            server_hostname=key.host.rstrip(".") if key.is_ssl else None,
        )
    except BaseException:
        # Harmless if the transport has closed it already.
        sock.close()
        raise
    return connection
