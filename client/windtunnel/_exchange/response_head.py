"""The head of a response: what can be said of it before its body.

A parsed head and the request it answers come in; out go header maps, cookies, links and
media types. Whatever costs something is made when it is asked for. It must not know the
body.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict, CIMultiDictProxy

from windtunnel import hdrs
from windtunnel._base.compat import override
from windtunnel._base.typedefs import HttpVersion, HttpVersion10, HttpVersion11
from windtunnel._body.charset import parse_content_type

if TYPE_CHECKING:
    from http.cookies import SimpleCookie

    from yarl import URL

    from windtunnel._base.typedefs import RequestInfo
    from windtunnel._exchange.handmade import HandMade
    from windtunnel._exchange.request import Request
    from windtunnel._exchange.response_fields import ContentDisposition, Links
    from windtunnel._wire.head import Head

_VERSIONS = {0: HttpVersion10, 1: HttpVersion11}


class ResponseHead:
    """Status line and fields of a response, and what was asked.

    Attributes:
        method: Method of the request.
        status: Status code, 100..999.
        reason: Reason phrase, often empty; None only if somebody made the response and
            said nothing.
    """

    # What most responses never get is not among the slots: its default is the class's,
    # and a value of its own goes into the dict, as do attributes of the user's.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_head",
        "_headers",
        "_request",
        "method",
        "reason",
        "status",
    )

    _history: tuple[Any, ...] = ()
    _cookies: SimpleCookie | None = None
    _raw_headers: tuple[tuple[bytes, bytes], ...] | None = None
    _version: HttpVersion | None = None

    method: str
    status: int
    reason: str | None
    _headers: CIMultiDictProxy[str] | None
    _head: Head
    _request: Request | HandMade

    @override
    def __repr__(self) -> str:
        reason = None
        if self.reason:
            reason = self.reason.encode("ascii", "backslashreplace").decode("ascii")
        name = type(self).__name__
        return f"<{name}({self.url}) [{self.status} {reason}]>\n{self.headers}\n"

    # --- what was asked -------------------------------------------------------------

    @property
    def url(self) -> URL:
        """URL of the request, without fragment."""
        return self._request.url

    @property
    def real_url(self) -> URL:
        """URL of the request, with its fragment."""
        return self._request.real_url

    @property
    def url_obj(self) -> URL:
        """The same as ``url``; deprecated."""
        warnings.warn("Deprecated, use .url #1654", DeprecationWarning, stacklevel=2)
        return self.url

    @property
    def host(self) -> str:
        """Host of the URL."""
        return self.url.host or ""

    @property
    def request_info(self) -> RequestInfo:
        """What was asked."""
        return self._request.info

    # --- what was answered ----------------------------------------------------------

    @property
    def version(self) -> HttpVersion:
        """Version in the status line."""
        minor = self._head.minor
        return self._version or _VERSIONS.get(minor) or HttpVersion(1, minor)

    @version.setter
    def version(self, value: HttpVersion) -> None:
        self._version = value

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """Header fields; bytes that are not UTF-8 are surrogate escapes."""
        headers = self._headers
        if headers is None:
            headers = self._headers = CIMultiDictProxy(CIMultiDict(self._head.fields))
        return headers

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Header fields in wire order and original case, without blanks around."""
        if self._raw_headers is not None:
            return self._raw_headers
        return tuple(
            (name.encode("utf-8"), value.encode("utf-8", "surrogateescape"))
            for name, value in self._head.fields
        )

    def set_cookie_fields(self) -> list[str]:
        """Give the values of ``Set-Cookie``; for the client's own layers."""
        return [
            value
            for name, value in self._head.telling
            if len(name) == 10 and name.lower() == "set-cookie"
        ]

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies that this response sets."""
        cookies = self._cookies
        if cookies is None:
            from windtunnel._policy.morsels import response_cookies

            cookies = self._cookies = response_cookies(self.set_cookie_fields())
        return cookies

    @cookies.setter
    def cookies(self, value: SimpleCookie) -> None:
        self._cookies = value

    @property
    def content_type(self) -> str:
        """Media type in lower case; ``application/octet-stream`` if there is none."""
        return parse_content_type(self.headers.get("Content-Type")).name

    @property
    def charset(self) -> str | None:
        """The charset parameter of Content-Type, None if absent."""
        return parse_content_type(self.headers.get("Content-Type")).charset

    @property
    def content_length(self) -> int | None:
        """Value of Content-Length, None if absent or no number."""
        value = self.headers.get("Content-Length", "")
        return int(value) if value.isascii() and value.isdigit() else None

    @property
    def content_disposition(self) -> ContentDisposition | None:
        """How the body is to be saved, None if the server does not say."""
        value = self.headers.get(hdrs.CONTENT_DISPOSITION)
        if value is None:
            return None
        from windtunnel._exchange.response_fields import content_disposition

        return content_disposition(value)

    @property
    def links(self) -> Links:
        """The links of the Link fields, by their ``rel``; see RFC 8288."""
        from windtunnel._exchange.response_fields import parse_links

        return parse_links(self.headers.getall(hdrs.LINK, ()), self.url)
