"""A request as middlewares see it: everything can still be changed.

Made for each attempt that a middleware, a cookie or credentials take part in; plain
requests go without. What it holds in the end becomes a ``Plan``.

Compat: the part of aiohttp's ClientRequest that middlewares use.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from windtunnel._body.payloads import make_payload
from windtunnel._exchange.headers import (
    AUTOMATIC,
    AUTOMATIC_NAMES,
    HeaderBlock,
    checked_method,
    merge_headers,
)
from windtunnel._exchange.request import Plan
from windtunnel._exchange.response import ClientResponse
from windtunnel._exchange.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set as AbstractSet

    from windtunnel._base.typedefs import ProxyRoute
    from windtunnel._body.payloads import Payload
    from windtunnel._transport.tls import TlsSetting


class ClientRequest:
    """One attempt of a request, before it is sent.

    Attributes:
        method: May be changed.
        url: Without fragment; may be changed.
        original_url: As asked for, with its fragment.
        headers: What will be sent, automatic fields included; may be changed.
        skip_auto_headers: Names of automatic fields that are not sent, in lower case.
        session: The session it belongs to.
        ssl: How TLS is to be verified; a context, True or False.
        payload: The body, None without.
    """

    __slots__ = (
        "_automatic_host",
        "_described",
        "headers",
        "method",
        "original_url",
        "payload",
        "session",
        "skip_auto_headers",
        "ssl",
        "url",
    )

    def __init__(
        self,
        method: str,
        target: Target,
        fields: CIMultiDict[str],
        payload: Payload | None,
        *,
        skip: AbstractSet[str],
        cookie: str,
        authorization: str,
        ssl: TlsSetting,
        session: Any,
    ) -> None:
        self.method = method
        self.url = target.url
        self.original_url = target.real_url
        self.skip_auto_headers = skip
        self.session = session
        self.ssl = ssl
        self._automatic_host = target.host_field
        headers: CIMultiDict[str] = CIMultiDict()
        headers["Host"] = fields.get("Host", target.host_field)
        headers.extend(pair for pair in fields.items() if pair[0].lower() != "host")
        for name, value in AUTOMATIC:
            if name not in headers and name.lower() not in skip:
                headers[name] = value
        if cookie:
            headers["Cookie"] = cookie
        if authorization:
            headers["Authorization"] = authorization
        self.headers = headers
        self.payload = payload
        self._described: list[str] = []
        self._describe()

    def _describe(self) -> None:
        """Let the headers say what the body is, as far as the caller did not."""
        for name in self._described:
            self.headers.pop(name, None)
        self._described = []
        if self.payload is None:
            return
        facts = {"Content-Type": self.payload.content_type}
        if self.payload.size is not None and "Transfer-Encoding" not in self.headers:
            facts = {"Content-Length": str(self.payload.size), **facts}
        for name, value in facts.items():
            is_skipped = name.lower() in self.skip_auto_headers
            if name not in self.headers and not is_skipped:
                self.headers[name] = value
                self._described.append(name)

    # --- what middlewares look at ---------------------------------------------------

    @property
    def host(self) -> str:
        """Host of the URL."""
        return self.url.raw_host or ""

    @property
    def port(self) -> int | None:
        """Port of the URL."""
        return self.url.port

    def is_ssl(self) -> bool:
        """Say whether the request goes over TLS."""
        return self.url.scheme in ("https", "wss")

    @property
    def body(self) -> Payload | bytes:
        """The body, empty bytes without one."""
        return b"" if self.payload is None else self.payload

    @body.setter
    def body(self, data: Any) -> None:
        self.payload = None if data is None or data == b"" else make_payload(data)
        self._describe()

    async def update_body(self, body: Any) -> None:
        """Replace the body by anything that ``data`` of a request may be."""
        self.body = body

    def update_headers(
        self, headers: Mapping[str, str] | Iterable[tuple[str, str]] | None
    ) -> None:
        """Put fields over those of the request."""
        self.headers = merge_headers(self.headers, headers)

    # --- what is sent ---------------------------------------------------------------

    def plan(
        self,
        *,
        force_close: bool,
        proxy: ProxyRoute | None = None,
        server_hostname: str | None = None,
    ) -> Plan:
        """Turn it into bytes.

        Args:
            force_close: Whether the connection is for this request only.
            proxy: What it goes through.
            server_hostname: Name that the certificate must have, None for the host's.

        Raises:
            ValueError: Something in it cannot be sent.
        """
        fields = self.headers
        if fields.get("Host") == self._automatic_host:
            # It is that of the URL, which a middleware may have changed.
            fields = CIMultiDict(fields)
            del fields["Host"]
        block = HeaderBlock(fields, self.skip_auto_headers | AUTOMATIC_NAMES)
        return Plan(
            checked_method(self.method),
            Target(self.url.with_fragment(self.original_url.fragment or None)),
            block,
            self.payload,
            ssl=self.ssl,
            force_close=force_close,
            proxy=proxy,
            server_hostname=server_hostname,
        )


ClientHandlerType = Callable[[ClientRequest], Awaitable[ClientResponse]]
ClientMiddlewareType = Callable[
    [ClientRequest, ClientHandlerType], Awaitable[ClientResponse]
]


def bind(
    middlewares: Iterable[ClientMiddlewareType], handler: ClientHandlerType
) -> ClientHandlerType:
    """Put middlewares around a handler; the first of them is the outermost."""

    def around(
        middleware: ClientMiddlewareType, inner: ClientHandlerType
    ) -> ClientHandlerType:
        def call(request: ClientRequest) -> Awaitable[ClientResponse]:
            return middleware(request, inner)

        return call

    for middleware in reversed(tuple(middlewares)):
        handler = around(middleware, handler)
    return handler
