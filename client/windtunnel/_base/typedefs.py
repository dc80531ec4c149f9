"""Small values that several layers exchange, and the public records among them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    from ssl import SSLContext

    from multidict import CIMultiDictProxy
    from yarl import URL

    from windtunnel._base.fingerprint import Fingerprint


class Sentinel(Enum):
    """The type of ``UNSET``, so that type checkers can tell it from None.

    Compat: tools that print signatures know such defaults by this name.
    """

    UNSET = "not given"


#: What an argument is that was not given, where None means something else.
UNSET: Final = Sentinel.UNSET
Unset: TypeAlias = Literal[Sentinel.UNSET]
#: The cause of an exception for which the caller names none; never raised.
NO_CAUSE: Final = BaseException()

#: One result of ``socket.getaddrinfo``.
AddrInfoType: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
#: Makes the socket for a connection to it.
SocketFactoryType: TypeAlias = Callable[[AddrInfoType], socket.socket]


class HttpVersion(NamedTuple):
    """Version of a message.

    Compat: the same named tuple as in aiohttp.
    """

    major: int
    minor: int


HttpVersion10 = HttpVersion(1, 0)
HttpVersion11 = HttpVersion(1, 1)


class ProxyRoute(NamedTuple):
    """A proxy, and how to ask it.

    Attributes:
        url: Without credentials.
        host: Of the proxy, without brackets.
        port: Of the proxy.
        is_ssl: Whether the proxy itself is reached by TLS.
        authorization: Value of Proxy-Authorization, or empty.
        headers: Further fields for CONNECT.
        is_tunnel: Whether to ask for a tunnel (CONNECT) rather than for a resource.
    """

    url: URL
    host: str
    port: int
    is_ssl: bool
    authorization: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    is_tunnel: bool = False


class ConnectionKey(NamedTuple):
    """What two requests must have in common to use one connection.

    Attributes:
        host: Host name or address, as in the URL, without brackets.
        port: TCP port.
        is_ssl: Whether TLS is used.
        ssl: True for verification with the default context, False for none, or a
            context or a fingerprint of the caller's.
        proxy: What the connection goes through, None for nothing.
        proxy_auth: Not used: credentials are in ``proxy``.
        proxy_headers_hash: Not used: the fields are in ``proxy``.
        server_hostname: Name that the certificate must have, None for ``host``.
    """

    host: str
    port: int
    is_ssl: bool
    ssl: SSLContext | Fingerprint | bool
    proxy: ProxyRoute | None
    proxy_auth: None
    proxy_headers_hash: None
    server_hostname: str | None = None


class _RequestInfo(NamedTuple):
    url: URL
    method: str
    headers: CIMultiDictProxy[str]
    real_url: URL


class RequestInfo(_RequestInfo):
    """What was asked: attached to responses and to their errors.

    Attributes:
        url: Without fragment.
        method: As sent.
        headers: As sent.
        real_url: With the fragment; ``url`` if not given.
    """

    __slots__ = ()

    def __new__(
        cls,
        url: URL,
        method: str,
        headers: CIMultiDictProxy[str],
        real_url: URL | Unset = UNSET,
    ) -> Self:
        return super().__new__(
            cls, url, method, headers, url if real_url is UNSET else real_url
        )


def shown(value: Any) -> str:
    """Show a caller's value in a message: its repr, cut to 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
