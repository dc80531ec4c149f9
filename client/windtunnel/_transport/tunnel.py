"""Ask a proxy for a tunnel: one CONNECT, and its answer.

A fresh transport to the proxy and the bytes of a request come in; the same transport,
from now on a wire to the target, goes out, or a failure. It keeps nothing.

Spec: RFC 9110 section 9.3.6.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from windtunnel._base.compat import override
from windtunnel._base.version import USER_AGENT
from windtunnel._transport.failures import ProxyRefused
from windtunnel._wire.head_exact import HeadReader
from windtunnel._wire.limits import DEFAULT_LIMITS
from windtunnel._wire.violation import WireError

if TYPE_CHECKING:
    from windtunnel._base.typedefs import ConnectionKey, ProxyRoute
    from windtunnel._wire.head import Head


def connect_fields(key: ConnectionKey, proxy: ProxyRoute) -> list[tuple[str, str]]:
    """Give the fields of the CONNECT for a key, in their order.

    Spec: RFC 9112 section 3.2: Host is the target's authority, with its port.
    """
    fields = [("Host", authority(key)), *proxy.headers]
    if not any(name.lower() == "user-agent" for name, _ in proxy.headers):
        fields.append(("User-Agent", USER_AGENT))
    if proxy.authorization:
        fields.append(("Proxy-Authorization", proxy.authorization))
    return fields


def authority(key: ConnectionKey) -> str:
    """Write host and port of a target. Spec: RFC 9112 section 3.2.3."""
    host = key.host.partition("%")[0]
    return f"[{host}]:{key.port}" if ":" in host else f"{host}:{key.port}"


class TunnelRequest(asyncio.Protocol):
    """The protocol of a connection to a proxy until the tunnel stands.

    Attributes:
        transport: To the proxy, None until the connection is made.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._reader = HeadReader(DEFAULT_LIMITS)
        self._answer: asyncio.Future[Head] = loop.create_future()
        self._interim = 0
        self._surplus = 0
        self.transport: asyncio.Transport | None = None

    async def ask(self, key: ConnectionKey, proxy: ProxyRoute) -> None:
        """Send CONNECT and wait for the tunnel.

        Raises:
            ProxyRefused: The final status is none of 2xx.
            WireError: The answer is no HTTP, or has bytes behind it.
            OSError: The proxy ended the connection.
        """
        transport = self.transport
        assert transport is not None
        lines = [f"{name}: {value}\r\n" for name, value in connect_fields(key, proxy)]
        head = f"CONNECT {authority(key)} HTTP/1.1\r\n{''.join(lines)}\r\n"
        transport.write(head.encode())
        answer = await self._answer
        if not 200 <= answer.status < 300:
            raise ProxyRefused(answer)
        if self._surplus:
            # The target speaks TLS or WebSocket and waits for us: it is not from there.
            raise WireError(
                f"{self._surplus} bytes behind the answer to CONNECT",
                rule="RFC 9110 section 9.3.6",
                offset=self._reader.end_offset,
            )

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        try:
            self._take(data)
        except WireError as exc:
            self._fail(exc)

    def _take(self, data: bytes) -> None:
        while data and not self._answer.done():
            used = self._reader.feed(data)
            if used < 0:
                return
            data = data[used:]
            head = self._reader.head
            if head.status >= 200:
                # What follows belongs to whoever uses the tunnel.
                assert self.transport is not None
                self.transport.pause_reading()
                self._surplus = len(data)
                self._answer.set_result(head)
                return
            self._interim += 1
            if self._interim > DEFAULT_LIMITS.max_interim:
                raise WireError(
                    f"more than {DEFAULT_LIMITS.max_interim} interim responses",
                    rule="limit max_interim, RFC 9110 section 15.2",
                    offset=self._reader.end_offset,
                )
            self._reader = HeadReader(DEFAULT_LIMITS, self._reader.end_offset)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(
            exc or ConnectionResetError("the proxy closed the connection in CONNECT")
        )

    def _fail(self, error: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(error)
            # It may be that nobody waits: CONNECT was cancelled.
            self._answer.exception()
