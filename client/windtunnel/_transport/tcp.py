"""The connector for TCP: names, addresses, TLS and proxies.

A user's settings come in; what ``dial`` needs goes out.
"""

from __future__ import annotations

import socket
import warnings
from typing import TYPE_CHECKING

from windtunnel._base.compat import override
from windtunnel._base.typedefs import UNSET, Unset
from windtunnel._transport.connector import BaseConnector
from windtunnel._transport.dial import DialSettings, dial
from windtunnel._transport.names import Names
from windtunnel._transport.resolver import DefaultResolver
from windtunnel._transport.tls import check_ssl_argument, merge_ssl_arguments

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine
    from ssl import SSLContext
    from typing import Any

    from windtunnel._base.typedefs import ConnectionKey, SocketFactoryType
    from windtunnel._transport.connection import Connection
    from windtunnel._transport.dial import Deadlines
    from windtunnel._transport.tls import TlsSetting
    from windtunnel.abc import AbstractResolver


class TCPConnector(BaseConnector):
    """Makes TCP connections, with TLS for https.

    Args:
        verify_ssl: Deprecated, use ``ssl=False``.
        fingerprint: Deprecated, use ``ssl=Fingerprint(...)``.
        use_dns_cache: Whether to keep addresses, and to look a name up only once for
            requests that need it at the same time.
        ttl_dns_cache: Seconds to keep them, None for ever.
        dns_cache_max_size: Names to keep, 1 or more.
        family: Address family, ``socket.AF_UNSPEC`` for any.
        ssl_context: Deprecated, use ``ssl=context``.
        ssl: True for verification against the system's trust roots, False for none,
            an ``ssl.SSLContext`` (client certificates are loaded into one), or a
            ``Fingerprint``; a request's own value wins unless it is True.
        local_addr: Host and port to connect from.
        resolver: Whom to ask for addresses; it is not closed with the connector.
        keepalive_timeout: As in ``BaseConnector``, like all that is not named here.
        force_close: As there.
        limit: As there.
        limit_per_host: As there.
        enable_cleanup_closed: As there.
        loop: As there.
        timeout_ceil_threshold: As there.
        happy_eyeballs_delay: Seconds before the next address is tried as well (RFC
            8305); None for one address after the other.
        interleave: How many addresses of the first family go first.
        socket_factory: Makes the sockets, from one result of ``getaddrinfo``.
        ssl_shutdown_timeout: Deprecated. Seconds that ``close`` waits for the peers'
            TLS closure alerts; 0, as if not given, to cut the connections.

    Raises:
        TypeError: ``ssl`` is something else.
        ValueError: As in ``BaseConnector``; or dns_cache_max_size is below 1, or
            several arguments about TLS were given.
    """

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"tcp"}

    def __init__(
        self,
        *,
        verify_ssl: bool = True,
        fingerprint: bytes | None = None,
        use_dns_cache: bool = True,
        ttl_dns_cache: float | None = 10,
        dns_cache_max_size: int = 1000,
        family: socket.AddressFamily = socket.AddressFamily.AF_UNSPEC,
        ssl_context: SSLContext | None = None,
        ssl: TlsSetting | None = True,
        local_addr: tuple[str, int] | None = None,
        resolver: AbstractResolver | None = None,
        keepalive_timeout: float | Unset | None = UNSET,
        force_close: bool = False,
        limit: int = 100,
        limit_per_host: int = 0,
        enable_cleanup_closed: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        timeout_ceil_threshold: float = 5,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
        socket_factory: SocketFactoryType | None = None,
        ssl_shutdown_timeout: float | Unset | None = UNSET,
    ) -> None:
        super().__init__(
            keepalive_timeout=keepalive_timeout,
            force_close=force_close,
            limit=limit,
            limit_per_host=limit_per_host,
            enable_cleanup_closed=enable_cleanup_closed,
            loop=loop,
            timeout_ceil_threshold=timeout_ceil_threshold,
        )
        if dns_cache_max_size < 1:
            msg = f"dns_cache_max_size={dns_cache_max_size}, allowed are 1 and more"
            raise ValueError(msg)
        self._ssl = check_ssl_argument(
            merge_ssl_arguments(ssl, verify_ssl, ssl_context, fingerprint)
        )
        if ssl_shutdown_timeout is not UNSET:
            warnings.warn(
                "The ssl_shutdown_timeout parameter is deprecated",
                DeprecationWarning,
                stacklevel=2,
            )
        shutdown = None if ssl_shutdown_timeout is UNSET else ssl_shutdown_timeout
        self._says_goodbye = bool(shutdown)
        self._owns_resolver = resolver is None
        self._resolver = resolver or DefaultResolver(self._loop)
        self._names = Names(
            self._loop,
            self._resolver,
            family=family,
            is_cached=use_dns_cache,
            ttl=ttl_dns_cache,
            capacity=dns_cache_max_size,
        )
        self._dial_settings = DialSettings(
            self._names,
            local_addr,
            happy_eyeballs_delay,
            interleave,
            socket_factory,
            shutdown or None,
        )

    @property
    def family(self) -> socket.AddressFamily:
        """The address family that is asked for."""
        return self._names.family

    @property
    def use_dns_cache(self) -> bool:
        """Whether addresses are kept."""
        return self._names.is_cached

    def clear_dns_cache(self, host: str | None = None, port: int | None = None) -> None:
        """Forget the addresses of one host and port, or all.

        Raises:
            ValueError: Only one of the two was given.
        """
        if host is not None and port is not None:
            self._names.clear((host, port))
        elif host is None and port is None:
            self._names.clear()
        else:
            msg = "either both host and port or none of them are allowed"
            raise ValueError(msg)

    @override
    def _dial(
        self, key: ConnectionKey, deadlines: Deadlines
    ) -> Coroutine[Any, Any, Connection]:
        return dial(self._pool, key, self._dial_settings, deadlines)

    @override
    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close all connections and wait until they are; requests in flight fail.

        Args:
            abort_ssl: Cut TLS connections even if there is an ssl_shutdown_timeout.
        """
        politely = self._says_goodbye and not abort_ssl
        closing = self._pool.close(politely=politely)
        await self._names.close()
        await closing
        if self._owns_resolver:
            await self._resolver.close()
