"""Which proxy a request goes through, and which requests go through none.

URLs, credentials and the words of the environment come in, a ``ProxyRoute`` goes out.
It looks nothing up: the caller has read the environment.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from yarl import URL

from windtunnel._base.typedefs import ProxyRoute, shown
from windtunnel._policy.auth import BasicAuth, encode_basic_auth
from windtunnel.errors import InvalidURL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network

_SCHEMES = ("http", "https")
_AUTHORIZATION = "proxy-authorization"


def proxy_url(value: str | URL) -> URL:
    """Read the URL of a proxy.

    Raises:
        TypeError: It is neither str nor URL.
        InvalidURL: It cannot be parsed, has no host, or is neither http nor https.
    """
    try:
        url = value if isinstance(value, URL) else URL(value)
    except ValueError as exc:
        raise InvalidURL(value, str(exc)) from exc
    if not url.raw_host:
        raise InvalidURL(value, "a proxy needs a host")
    if url.scheme not in _SCHEMES:
        raise InvalidURL(value, "a proxy is asked by http or https")
    return url


def checked_proxy_auth(value: object) -> BasicAuth | None:
    """Check a ``proxy_auth`` argument.

    Raises:
        ValueError: It is none of None and BasicAuth. Compat: aiohttp raises this type.
    """
    if value is None or isinstance(value, BasicAuth):
        return value
    msg = f"proxy_auth={shown(value)} must be None or BasicAuth() tuple"
    raise ValueError(msg)


def make_route(
    proxy: URL,
    target: URL,
    auth: BasicAuth | None,
    headers: Mapping[str, str] | None,
) -> ProxyRoute:
    """Say how a proxy is asked for a target.

    Args:
        proxy: A checked URL, maybe with credentials, which ``auth`` replaces.
        target: What is wanted. Only http is asked for by its absolute URL; anything
            else needs a tunnel.
        auth: Credentials for the proxy.
        headers: Fields for the proxy: they go with CONNECT, and of them only
            Proxy-Authorization with other requests, which are passed on.

    Spec: RFC 9112 sections 3.2.2 and 3.2.3; RFC 6455 section 4.1 for ws.
    """
    authorization = ""
    if auth is not None:
        authorization = auth.encode()
    elif proxy.raw_user or proxy.raw_password:
        login, password = proxy.user or "", proxy.password or ""
        authorization = encode_basic_auth(login, password, "latin-1")
    if proxy.raw_user is not None or proxy.raw_password is not None:
        proxy = proxy.with_user(None)
    others: list[tuple[str, str]] = []
    for name, value in headers.items() if headers else ():
        if name.lower() != _AUTHORIZATION:
            others.append((name, value))
        elif not authorization:
            authorization = value
    return ProxyRoute(
        proxy,
        proxy.raw_host or "",
        proxy.port or 0,
        proxy.scheme == "https",
        authorization,
        tuple(others),
        is_tunnel=target.scheme != "http",
    )


def is_direct(host: str, port: int, exceptions: str) -> bool:
    """Say whether the environment's exceptions name a host.

    Args:
        host: Name or address without brackets.
        port: The port that is asked for.
        exceptions: Value of ``no_proxy``: names (which stand for everything inside
            them, too), addresses, networks such as ``10.0.0.0/8``, each maybe with a
            port, separated by commas or blanks; ``*`` is everything.
    """
    name = host.rstrip(".").lower()
    for word in exceptions.replace(",", " ").split():
        if word == "*" or _names(word.lower(), name, port):
            return True
    return False


def _names(word: str, name: str, port: int) -> bool:
    if "/" in word:
        return _contains(word, name)
    literal = word
    if word.startswith("["):
        literal, _, rest = word[1:].partition("]")
        wanted = rest.removeprefix(":")
    elif word.count(":") == 1:
        literal, _, wanted = word.partition(":")
    else:
        wanted = ""
    if wanted and wanted != str(port):
        return False
    literal = literal.removeprefix("*").strip(".")
    return bool(literal) and (name == literal or name.endswith(f".{literal}"))


def _contains(word: str, name: str) -> bool:
    network: IPv4Network | IPv6Network
    try:
        network = ip_network(word, strict=False)
        return ip_address(name) in network
    except ValueError:
        return False
