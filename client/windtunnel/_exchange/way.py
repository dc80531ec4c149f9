"""How the connections of one call are made, if not in the plain way.

Arguments of the session and of the call come in; the proxy of each hop goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from windtunnel._policy.auth import BasicAuth
from windtunnel._policy.proxy import checked_proxy_auth, proxy_url
from windtunnel._transport.environment import (
    environment_credentials,
    environment_proxy,
)

if TYPE_CHECKING:
    from yarl import URL

    from windtunnel._exchange.headers import Headers


class ProxyWish(NamedTuple):
    """The proxy that a request asks for.

    Attributes:
        url: The proxy, None for none.
        auth: Credentials for it; without, those of the URL.
        headers: Fields for it.
    """

    url: URL | None = None
    auth: BasicAuth | None = None
    headers: Headers | None = None


NO_PROXY = ProxyWish()


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
    proxy_headers: Headers | None = None
    trusts_env: bool = False
    server_hostname: str | None = None

    async def proxy_for(self, target: URL) -> ProxyWish:
        """Say which proxy a hop goes through.

        Raises:
            InvalidURL: The environment names one that cannot be used.
        """
        if self.proxy is not None:
            return ProxyWish(self.proxy, self.proxy_auth, self.proxy_headers)
        found = await environment_proxy(target) if self.trusts_env else None
        if found is None:
            return NO_PROXY
        proxy, authorization = found
        auth = BasicAuth.decode(authorization) if authorization else None
        return ProxyWish(proxy, auth, self.proxy_headers)

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
    if checked_proxy_auth(proxy_auth) is None and proxy is None and not trust_env:
        return None
    url = None if proxy is None else proxy_url(proxy)
    return Way(url, proxy_auth, None, trust_env)


def call_way(
    base: Way | None,
    proxy: str | URL | None,
    proxy_auth: BasicAuth | None,
    proxy_headers: Headers | None,
    server_hostname: str | None,
) -> Way | None:
    """Put the arguments of a call over those of its session.

    Args:
        base: That of the session.
        proxy: URL of the call's own proxy.
        proxy_auth: Credentials for the proxy.
        proxy_headers: Fields for it.
        server_hostname: Name that the certificate must have.

    Returns:
        The way, None if all is plain.

    Raises:
        ValueError: proxy_auth is no BasicAuth.
        InvalidURL: The proxy cannot be used.
    """
    given = (proxy, proxy_auth, proxy_headers, server_hostname)
    if given == (None, None, None, None):
        return base
    way = base or PLAIN
    return way._replace(
        proxy=way.proxy if proxy is None else proxy_url(proxy),
        proxy_auth=checked_proxy_auth(proxy_auth) or way.proxy_auth,
        proxy_headers=proxy_headers,
        server_hostname=server_hostname,
    )
