"""How the connections of one call are made, if not in the plain way.

Arguments of the session and of the call come in; the proxy of each hop goes out.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from multidict import CIMultiDict

from windtunnel._exchange.headers import check_fields
from windtunnel._policy.proxy import checked_proxy_auth, make_route, proxy_url
from windtunnel._transport.environment import (
    environment_credentials,
    environment_proxy,
)
from windtunnel._transport.tls import TlsSetting, merge_ssl_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yarl import URL

    from windtunnel._base.typedefs import ProxyRoute
    from windtunnel._policy.auth import BasicAuth


class Way(NamedTuple):
    """What a call, or a session for all its calls, says of its connections.

    Attributes:
        proxy: For every hop; None leaves it to the environment.
        proxy_auth: Credentials for the proxy.
        proxy_headers: Fields for the proxy.
        trusts_env: Whether the environment is asked for proxies and credentials.
        server_hostname: Name that the certificate must have, None for the host's.
    """

    proxy: URL | None = None
    proxy_auth: BasicAuth | None = None
    proxy_headers: Mapping[str, str] | None = None
    trusts_env: bool = False
    server_hostname: str | None = None

    async def route(self, target: URL) -> ProxyRoute | None:
        """Say which proxy a hop goes through.

        Raises:
            InvalidURL: The environment names one that cannot be used.
        """
        if self.proxy is not None:
            return make_route(self.proxy, target, self.proxy_auth, self.proxy_headers)
        if not self.trusts_env:
            return None
        found = await environment_proxy(target)
        if found is None:
            return None
        proxy, authorization = found
        route = make_route(proxy, target, None, self.proxy_headers)
        if authorization and not route.authorization:
            route = route._replace(authorization=authorization)
        return route

    async def credentials(self, target: URL) -> str:
        """Give the Authorization that the environment has for a hop, or empty."""
        if not self.trusts_env:
            return ""
        return await environment_credentials(target.raw_host or "")


PLAIN = Way()


def session_way(
    proxy: str | URL | None, proxy_auth: BasicAuth | None, trust_env: bool
) -> Way | None:
    """Read the arguments of a session; None means that all is plain.

    Raises:
        ValueError: proxy_auth is no BasicAuth.
        InvalidURL: The proxy cannot be used.
    """
    if checked_proxy_auth(proxy_auth) is not None:
        _warn_of_auth(stacklevel=4)
    if proxy is None and proxy_auth is None and not trust_env:
        return None
    url = None if proxy is None else proxy_url(proxy)
    return Way(url, proxy_auth, None, trust_env)


def call_way(
    base: Way | None, ssl: TlsSetting | None, options: dict[str, Any]
) -> tuple[Way | None, TlsSetting | None]:
    """Take the arguments that concern connections out of the rare ones of a call.

    Args:
        base: That of the session.
        ssl: That argument of the call.
        options: The rare arguments; what is used is removed.

    Returns:
        The way, None if all is plain, and ``ssl`` with its old forms merged in.

    Raises:
        TypeError: A value in proxy_headers is not a str.
        ValueError: Several arguments say how TLS is verified, proxy_auth is no
            BasicAuth, or a field in proxy_headers would not stay in its line.
        InvalidURL: The proxy cannot be used.
    """
    take = options.pop
    ssl = merge_ssl_arguments(
        ssl,
        take("verify_ssl", None),
        take("ssl_context", None),
        take("fingerprint", None),
    )
    proxy, auth = take("proxy", None), checked_proxy_auth(take("proxy_auth", None))
    if auth is not None:
        _warn_of_auth(stacklevel=4)
    headers, name = take("proxy_headers", None), take("server_hostname", None)
    if headers is not None:
        headers = CIMultiDict(headers)
        check_fields(headers.items())
    if proxy is None and auth is None and headers is None and name is None:
        return base, ssl
    way = base or PLAIN
    return (
        way._replace(
            proxy=way.proxy if proxy is None else proxy_url(proxy),
            proxy_auth=way.proxy_auth if auth is None else auth,
            proxy_headers=headers,
            server_hostname=name,
        ),
        ssl,
    )


def _warn_of_auth(stacklevel: int) -> None:
    """Tell the caller of the newer way. Compat: aiohttp does."""
    warnings.warn(
        "The 'proxy_auth' parameter is deprecated; pass proxy_headers={"
        "'Proxy-Authorization': encode_basic_auth(login, password)} instead",
        DeprecationWarning,
        stacklevel=stacklevel,
    )
