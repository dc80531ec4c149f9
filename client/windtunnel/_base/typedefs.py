"""Small values that several layers exchange, and the public records among them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ssl import SSLContext

    from multidict import CIMultiDictProxy
    from yarl import URL


class Unset(Enum):
    """The type of ``UNSET``, so that type checkers can tell it from None."""

    UNSET = "not given"


UNSET = Unset.UNSET


class HttpVersion(NamedTuple):
    """Version of a message.

    Compat: the same named tuple as in aiohttp.
    """

    major: int
    minor: int


HttpVersion10 = HttpVersion(1, 0)
HttpVersion11 = HttpVersion(1, 1)


class ConnectionKey(NamedTuple):
    """What two requests must have in common to use one connection.

    Attributes:
        host: Host name or address, as in the URL, without brackets.
        port: TCP port.
        is_ssl: Whether TLS is used.
        ssl: True for verification with the default context, False for none, or a
            context of the caller's.
    """

    host: str
    port: int
    is_ssl: bool
    ssl: SSLContext | bool


class RequestInfo(NamedTuple):
    """What was asked: attached to responses and to their errors.

    Attributes:
        url: Without fragment.
        method: As sent.
        headers: As sent.
        real_url: With the fragment.
    """

    url: URL
    method: str
    headers: CIMultiDictProxy[str]
    real_url: URL


def shown(value: Any) -> str:
    """Show a caller's value in a message: its repr, cut to 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
