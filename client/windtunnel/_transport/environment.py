"""What the environment says of proxies and credentials, for ``trust_env``.

Environment variables, the system's settings and the netrc file are read, in a thread
because they may be files; URLs and credentials go out. Nothing is kept: they may
change.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from windtunnel._policy.auth import encode_basic_auth
from windtunnel._policy.proxy import is_direct, proxy_url

if TYPE_CHECKING:
    import netrc

    from yarl import URL

_LOGGER = logging.getLogger("windtunnel.client")


async def environment_proxy(target: URL) -> tuple[URL, str] | None:
    """Find the proxy for a URL.

    Returns:
        The proxy, and a value of Proxy-Authorization that netrc has for it, or empty;
        None without a proxy.

    Raises:
        InvalidURL: It has a proxy whose URL cannot be used.
    """
    return await asyncio.to_thread(_find_proxy, target)


async def environment_credentials(host: str) -> str:
    """Find the value of Authorization that netrc has for a host, or empty."""
    return await asyncio.to_thread(_find_credentials, host)


def _find_proxy(target: URL) -> tuple[URL, str] | None:
    # urllib.request takes a third of the time of importing this package.
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    value = proxies.get(target.scheme)
    if not value:
        return None
    host, port = target.raw_host or "", target.port or 0
    if is_direct(host, port, proxies.get("no", "")) or proxy_bypass(host):
        return None
    proxy = proxy_url(value)
    if proxy.scheme != "http":
        # Compat: aiohttp ignores them with the same words.
        _LOGGER.warning(
            "%s proxies %s are not supported, ignoring",
            proxy.scheme.upper(),
            proxy.with_user(None),
        )
        return None
    return proxy, _find_credentials(proxy.raw_host or "")


def _find_credentials(host: str) -> str:
    found = _read_netrc()
    entry = None if found is None else found.authenticators(host)
    if entry is None:
        return ""
    login, account, password = entry
    return encode_basic_auth(login or account or "", password or "", "latin-1")


def _read_netrc() -> netrc.netrc | None:
    """Read $NETRC, or the file of that name at home; a bad one is only reported."""
    from netrc import NetrcParseError, netrc

    given = os.environ.get("NETRC")
    try:
        home = Path.home() / ("_netrc" if sys.platform == "win32" else ".netrc")
        path = Path(given) if given else home
        return netrc(str(path))
    except NetrcParseError as exc:
        _LOGGER.warning("Could not parse .netrc file: %s", exc)
    except (OSError, RuntimeError) as exc:
        # That there is none at home is no news. RuntimeError: there is no home.
        if given:
            _LOGGER.warning("Could not read .netrc file: %s", exc)
    return None
