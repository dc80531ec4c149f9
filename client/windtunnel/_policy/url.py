"""Make the URL of a request, or say why it cannot be one.

What comes in: a session's base URL, what the caller gave as URL, and ``params``. What
goes out: an absolute URL that can be requested, or a typed error. This module must not
know connections; the caller says which schemes it speaks.

Spec: RFC 3986 section 5 (joining), RFC 9112 section 3.2 (what a target may contain).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from yarl import URL

from windtunnel._base.typedefs import shown
from windtunnel.errors import InvalidUrlClientError, NonHttpUrlClientError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ("HTTP_SCHEMES", "build_url", "make_base_url")

#: The schemes that every client speaks.
HTTP_SCHEMES = frozenset({"http", "https", "ws", "wss"})

# Characters that end or break a host in a Host field, in a log, or in another parser.
_BAD_HOST = re.compile(r"[\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]|[^\x00-\x7f]")
# Characters that would end the request target or the line.
_BAD_TARGET = re.compile(r"[\x00-\x20\x7f]")
# A host of numbers only, in the decimal and hexadecimal forms that resolvers take.
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)?(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CANONICAL_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_MAX_LABEL = 63


def make_base_url(value: str | URL) -> URL:
    """Check the base URL of a session.

    Raises:
        TypeError: It is neither str nor URL.
        ValueError: It is not absolute, or its path does not end with a slash, so that
            joining (RFC 3986 section 5.2.3) would drop the last part of it.
    """
    url = _parse(value)
    if not url.absolute or not url.scheme:
        msg = f"base_url {str(value)!r} is not absolute: URL should be absolute"
        raise ValueError(msg)
    if not url.path.endswith("/"):
        msg = f"base_url {str(value)!r} must have a trailing '/' in its path"
        raise ValueError(msg)
    return url


def build_url(
    base_url: URL | None,
    str_or_url: str | URL,
    params: Any = None,
    schemes: Collection[str] = HTTP_SCHEMES,
) -> URL:
    """Make the URL of a request.

    Args:
        base_url: Checked base URL of the session. A leading slash in ``str_or_url``
            drops its path, an absolute ``str_or_url`` replaces it.
        str_or_url: What the caller gave. A str is normalised, a URL made with
            ``encoded=True`` is taken as it is.
        params: Mapping (values may be lists), pairs, or str, *added* to the query.
        schemes: Schemes that the session's connector speaks.

    Returns:
        An absolute URL with its fragment.

    Raises:
        TypeError: ``str_or_url`` is neither str nor URL; or a value in ``params`` is
            none of str, int and float.
        ValueError: A float in ``params`` is not finite.
        NonHttpUrlClientError: The scheme is none of ``schemes``.
        InvalidUrlClientError: Anything else that keeps it from being requested.

    Compat: aiohttp finds the same, some of it only when it connects.
    """
    url = _parse(str_or_url)
    if base_url is not None and not url.scheme:
        url = base_url.join(url)
    if params is not None:
        try:
            url = url.extend_query(params)
        except (TypeError, ValueError) as exc:
            msg = f"params={shown(params)} cannot be a query: {exc}"
            raise type(exc)(msg) from exc
    if url.scheme not in schemes:
        if url.scheme:
            allowed = ", ".join(sorted(schemes))
            msg = f"{url} - scheme {url.scheme!r} is none of {allowed}"
            raise NonHttpUrlClientError(msg)
        raise InvalidUrlClientError(str_or_url, "is not absolute")
    if problem := _problem(url):
        raise InvalidUrlClientError(str_or_url, problem)
    return url


def _parse(value: object) -> URL:
    if isinstance(value, URL):
        return value
    if not isinstance(value, str):
        msg = f"URL {shown(value)} is a {type(value).__name__}, not str or yarl.URL"
        raise TypeError(msg)
    try:
        return URL(value)
    except ValueError as exc:
        raise InvalidUrlClientError(value, str(exc)) from exc


def _problem(url: URL) -> str | None:
    """Say what keeps an absolute URL from being requested, None if nothing does."""
    if bad := _BAD_TARGET.search(url.raw_path_qs):
        return f"has {bad[0]!r} in its path or query, which would end the target"
    host = url.raw_host
    if not host:
        return "has no host"
    # yarl has checked what is in brackets: an IPv6 address.
    return None if ":" in host else _host_problem(host)


def _host_problem(host: str) -> str | None:
    """Say what is wrong with a host that is not in brackets."""
    if bad := _BAD_HOST.search(host):
        return f"has {bad[0]!r} in its host"
    if _NUMERIC_HOST.fullmatch(host.lower()) and not _CANONICAL_IPV4.fullmatch(host):
        return f"has the host {host!r}, which is not a canonical IPv4 address"
    # Dots at the end are the root of the DNS and mean the same host.
    for label in host.rstrip(".").split("."):
        if not 1 <= len(label) <= _MAX_LABEL:
            return f"has a host part of {len(label)} characters; allowed are 1 to 63"
    return None
