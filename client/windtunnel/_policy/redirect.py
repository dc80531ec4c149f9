"""Where a response sends the client next, and what may go along.

A status, a method, the URL that was asked for and the Location value come in; a ``Hop``
or None goes out. It must not know requests or responses.

Spec: RFC 9110 sections 10.2.2 and 15.4. Compat: aiohttp's choice of methods.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from yarl import URL

from windtunnel._policy.url import build_url
from windtunnel.errors import (
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlClientError,
    NonHttpUrlRedirectClientError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_SCHEMES = frozenset({"http", "https"})

# Fields that are meant for one origin only.
SECRET_FIELDS = frozenset({"authorization", "cookie", "proxy-authorization"})
# Fields that describe a body that is not sent any more. Compat: aiohttp drops the
# length alone and keeps the caller's other fields.
_BODY_FIELDS = frozenset({"content-length", "transfer-encoding"})

_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_BLANK_ENDS = " \t"


class Hop(NamedTuple):
    """The request that a redirect asks for.

    Attributes:
        url: Where it goes, with a fragment.
        method: Its method.
        has_body: Whether it carries the body of the request before.
        is_new_origin: Whether scheme, host or port are others than before, so that no
            secret may go along.
    """

    url: URL
    method: str
    has_body: bool
    is_new_origin: bool


def next_hop(
    status: int, method: str, url: URL, location: str | None, *, requote: bool = True
) -> Hop | None:
    """Decide about one response.

    Args:
        status: Its status.
        method: Method of the request.
        url: URL of the request, with its fragment.
        location: Value of Location, or of URI without it; None without both. Bytes
            that are not UTF-8 are lone surrogates.
        requote: Whether the value is put into normal form.

    Returns:
        What to do, or None if the response is the final one.

    Raises:
        InvalidUrlRedirectClientError: The value is no URL that can be requested.
        NonHttpUrlRedirectClientError: Its scheme is neither http nor https.
    """
    if status not in REDIRECT_STATUSES or location is None:
        return None
    target = _target(url, location, requote=requote)
    becomes_get = method != "HEAD" if status == 303 else _is_old_post(status, method)
    return Hop(
        target,
        "GET" if becomes_get else method,
        has_body=not becomes_get,
        is_new_origin=origin_of(target) != origin_of(url),
    )


def origin_of(url: URL) -> tuple[str, str | None, int | None]:
    """Give scheme, host and port; the default port is the same as none.

    Spec: RFC 6454 section 4.
    """
    return url.scheme, url.raw_host, url.port


def _is_old_post(status: int, method: str) -> bool:
    # Clients have always done so (RFC 9110 sections 15.4.2 and 15.4.3).
    return method == "POST" and status in (301, 302)


def _target(url: URL, location: str, *, requote: bool) -> URL:
    text = _NOT_UTF8.sub(lambda m: f"%{ord(m[0]) - 0xDC00:02X}", location)
    text = text.strip(_BLANK_ENDS)
    try:
        target = URL(text, encoded=not requote)
        rest = text.partition(":")[2]
        if target.scheme == url.scheme and not rest.startswith("//"):
            # Compat: "http:/path" and "http:path" stay on the host.
            target = URL(rest, encoded=not requote)
        if not target.scheme:
            target = url.join(target)
        if not target.raw_fragment and url.raw_fragment:
            # Spec: RFC 9110 section 10.2.2.
            target = target.with_fragment(url.fragment)
        return build_url(None, target, schemes=_SCHEMES | {url.scheme})
    except NonHttpUrlClientError as exc:
        raise NonHttpUrlRedirectClientError(str(exc)) from exc
    except InvalidUrlClientError as exc:
        raise InvalidUrlRedirectClientError(location, exc.description) from exc
    except ValueError as exc:
        raise InvalidUrlRedirectClientError(location, str(exc)) from exc


def is_over(count: int, max_redirects: int) -> bool:
    """Say whether a redirect is one too many.

    Args:
        count: Redirects so far, this one included.
        max_redirects: The limit; 0 for none.

    Compat: aiohttp gives up when the count reaches the limit, so that 10 allows 9.
    """
    return bool(max_redirects) and count >= max_redirects


def dropped_fields(hop: Hop) -> frozenset[str]:
    """Name the caller's fields, in lower case, that must not go along."""
    dropped = SECRET_FIELDS if hop.is_new_origin else frozenset[str]()
    return dropped if hop.has_body else dropped | _BODY_FIELDS


def kept_fields(
    fields: Iterable[tuple[str, str]], dropped: frozenset[str]
) -> list[tuple[str, str]]:
    """Leave fields out."""
    return [pair for pair in fields if pair[0].lower() not in dropped]
