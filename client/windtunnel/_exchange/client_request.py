"""A request as middlewares see it: everything can still be changed.

Made for each attempt that needs more than the plain exchange: cookies, credentials,
middlewares, proxies, compression and whatever else is rare. What it holds in the end
becomes a ``Plan``; it sends nothing itself.

Compat: aiohttp's ClientRequest, but for sending.
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from windtunnel._base.typedefs import (
    ConnectionKey,
    HttpVersion,
    HttpVersion11,
    ProxyRoute,
    RequestInfo,
    shown,
)
from windtunnel._base.version import USER_AGENT
from windtunnel._body.decoders import ACCEPT_ENCODING
from windtunnel._body.payloads import Payload, make_payload
from windtunnel._exchange.headers import (
    AUTOMATIC_NAMES,
    CONTINUE,
    HeaderBlock,
    check_fields,
    checked_method,
    lower_names,
    merge_headers,
)
from windtunnel._exchange.request import WITHOUT_BODY, Plan
from windtunnel._exchange.response import ClientResponse
from windtunnel._exchange.target import Target
from windtunnel._exchange.translate import explain_dial
from windtunnel._policy.auth import BasicAuth, checked_auth
from windtunnel._policy.proxy import checked_proxy_auth, make_route, proxy_url
from windtunnel.errors import InvalidUrlClientError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from windtunnel._exchange.headers import Headers
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.tls import TlsSetting


class ClientRequest:
    """One attempt of a request, before it is sent.

    Middlewares get it from the session and may change all of it: what it holds when
    the handler is called is what is sent.

    Args:
        method: Any token; the standard ones are put into upper case.
        url: Absolute; its credentials become an Authorization field.
        params: Added to the query.
        headers: Fields to send.
        skip_auto_headers: Names of automatic fields that are not to be sent.
        data: The body, anything that ``data`` of a request may be.
        cookies: Names and values, or morsels; a Cookie field is merged with them.
        auth: Credentials, which win over those of the URL.
        version: Of the protocol, also as "1.0".
        compress: Name of a content coding for the body, True for deflate.
        chunked: True for the chunked coding; otherwise only a body of unknown length
            has it.
        expect100: Whether the body waits until the server asks for it.
        loop: Kept as an attribute.
        response_class: What the answer becomes, None for ``ClientResponse``.
        proxy: URL of the proxy.
        proxy_auth: Credentials for it.
        timer: Ignored; the connection keeps the time.
        session: The session it belongs to.
        ssl: True, False, a context or a fingerprint.
        proxy_headers: Fields for the proxy.
        traces: Ignored; the session tells those who watch.
        trust_env: Ignored; the session has asked the environment.
        server_hostname: Name that the certificate must have, None for the host's.

    Attributes:
        method: May be changed.
        url: Without fragment; may be changed.
        original_url: As asked for, with its fragment.
        headers: What will be sent, automatic fields included; may be changed.
        auth: Credentials of the URL, None without.
        response: What the last call of the handler gave, None before.

    Raises:
        ValueError: The method is no token, arguments contradict each other, or the
            version cannot be read.
        TypeError: ``auth`` is no BasicAuth, or the body cannot be sent.
        InvalidUrlClientError: The URL has no host.
    """

    GET_METHODS: ClassVar[frozenset[str]] = WITHOUT_BODY
    POST_METHODS: ClassVar[frozenset[str]] = frozenset({"PATCH", "POST", "PUT"})
    ALL_METHODS: ClassVar[frozenset[str]] = GET_METHODS | POST_METHODS | {"DELETE"}
    DEFAULT_HEADERS: ClassVar[Mapping[str, str]] = {
        "Accept": "*/*",
        "Accept-Encoding": ACCEPT_ENCODING,
    }

    auth: BasicAuth | None = None
    method: str = "GET"
    response: ClientResponse | None = None
    session: Any = None
    ssl: TlsSetting = True
    url: URL = URL()

    def __init__(
        self,
        method: str,
        url: str | URL,
        *,
        params: Any = None,
        headers: Headers | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        data: Any = None,
        cookies: Any = None,
        auth: BasicAuth | None = None,
        version: HttpVersion | str = HttpVersion11,
        compress: str | bool | None = None,
        chunked: bool | None = None,
        expect100: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        response_class: type[ClientResponse] | None = None,
        proxy: str | URL | None = None,
        proxy_auth: BasicAuth | None = None,
        timer: Any = None,
        session: Any = None,
        ssl: TlsSetting = True,
        proxy_headers: Headers | None = None,
        traces: Any = None,
        trust_env: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        self.method = checked_method(method)
        asked = URL(url) if isinstance(url, str) else url
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.compress = "deflate" if compress is True else compress or None
        self.chunked = chunked
        self.loop = loop
        self.response_class = response_class or ClientResponse
        self.session = session
        self.ssl = ssl
        self.server_hostname = server_hostname
        self._body: Payload | None = None
        self._sets_coding = False
        self.update_host(asked.extend_query(params) if params else asked)
        self.url, self.original_url = self._target.url, self._target.real_url
        self.update_version(version)
        self.update_headers(headers)
        self.update_auto_headers(skip_auto_headers)
        self.update_cookies(cookies)
        self.update_content_encoding(data)
        self.update_auth(auth, trust_env)
        self.update_proxy(proxy, proxy_auth, proxy_headers)
        self.update_body_from_data(data)
        self.update_transfer_encoding()
        self.update_expect_continue(expect100)

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
    def skip_auto_headers(self) -> CIMultiDict[None]:
        """Names of automatic fields that are not sent, without values."""
        return CIMultiDict((name, None) for name in self._skip)

    @property
    def request_info(self) -> RequestInfo:
        """What is asked, as it is now."""
        headers = CIMultiDictProxy(self.headers)
        return RequestInfo(self.url, self.method, headers, self.original_url)

    @property
    def connection_key(self) -> ConnectionKey:
        """What a connection must have to be used for it."""
        return ConnectionKey(
            self.host,
            self.port or 0,
            self.is_ssl(),
            self.ssl,
            self._route(),
            None,
            None,
            self.server_hostname,
        )

    @property
    def body(self) -> Payload | bytes:
        """The body, empty bytes without one.

        ``update_body`` is the better way to change it: it closes the old one.
        """
        return b"" if self._body is None else self._body

    @body.setter
    def body(self, data: Any) -> None:
        old = self._body
        if old is not None and old.closes and not old.autoclose:
            warnings.warn(
                "the body that is replaced may hold a file open; "
                "use await request.update_body()",
                ResourceWarning,
                stacklevel=2,
            )
        self._replace_body(data)

    async def update_body(self, body: Any) -> None:
        """Replace the body by anything that ``data`` of a request may be.

        The length is found out anew. The type stays as it is, if there was one.
        """
        if self._body is not None and self._body is not body:
            await self._body.close()
        self._replace_body(body)

    def _replace_body(self, body: Any) -> None:
        for name in ("Content-Length", "Transfer-Encoding"):
            self.headers.pop(name, None)
        self.update_body_from_data(None if body == b"" else body)
        self.update_transfer_encoding()

    # --- what the constructor is made of --------------------------------------------

    def update_host(self, url: URL) -> None:
        """Take host and credentials from a URL.

        Raises:
            InvalidUrlClientError: It has no host.
        """
        if not url.raw_host:
            raise InvalidUrlClientError(url, "has no host")
        self._target = target = Target(url)
        self._automatic_host = target.host_field
        if target.authorization:
            self.auth = BasicAuth.decode(target.authorization)

    def update_version(self, version: HttpVersion | str) -> None:
        """Set the version, also from text such as "1.0".

        Raises:
            ValueError: The text is no version.
        """
        if not isinstance(version, str):
            self.version = version
            return
        major, _, minor = version.partition(".")
        try:
            self.version = HttpVersion(int(major), int(minor))
        except ValueError:
            msg = f"version {shown(version)} is not two numbers with a dot"
            raise ValueError(msg) from None

    def update_headers(self, headers: Headers | None) -> None:
        """Put fields over those of the request, Host before all others."""
        merged = merge_headers(self.headers, headers)
        hosts = merged.popall("Host", [self._target.host_field])
        self.headers = CIMultiDict([("Host", hosts[-1])])
        self.headers.extend(merged)

    def update_auto_headers(self, skip_auto_headers: Iterable[str] | None) -> None:
        """Add the automatic fields that are neither there nor to be skipped."""
        self._skip = skip = lower_names(skip_auto_headers)
        automatic = (*self.DEFAULT_HEADERS.items(), ("User-Agent", USER_AGENT))
        for name, value in automatic:
            if name not in self.headers and name.lower() not in skip:
                self.headers[name] = value

    def update_cookies(self, cookies: Any) -> None:
        """Merge cookies with the Cookie field; theirs win.

        Compat: aiohttp sorts them by name.
        """
        if not cookies:
            return
        from windtunnel._policy.morsels import (
            from_caller,
            from_cookie_header,
            header_value,
        )

        written = "; ".join(self.headers.popall("Cookie", ()))
        merged = {each.key: each for each in from_cookie_header(written)}
        merged.update({each.key: each for each in from_caller(cookies)})
        self.headers["Cookie"] = header_value(merged)

    def update_content_encoding(self, data: Any) -> None:
        """Say which content coding the body will have; an empty one has none.

        Raises:
            ValueError: There is a Content-Encoding field already.
        """
        if not data or (isinstance(data, Payload) and data.size == 0):
            self.compress = None
        elif self.compress:
            if "Content-Encoding" in self.headers:
                msg = "compress can not be set if Content-Encoding header is set"
                raise ValueError(msg)
            self.headers["Content-Encoding"] = self.compress
            self.chunked = True

    def update_auth(self, auth: BasicAuth | None, trust_env: bool = False) -> None:
        """Set the Authorization field, from the URL if ``auth`` is None.

        Raises:
            TypeError: ``auth`` is no BasicAuth.
        """
        auth = checked_auth(auth, "auth") or self.auth
        if auth is not None:
            self.headers["Authorization"] = auth.encode()

    def update_proxy(
        self,
        proxy: str | URL | None,
        proxy_auth: BasicAuth | None,
        proxy_headers: Headers | None,
    ) -> None:
        """Set the proxy, its credentials and its fields.

        Raises:
            ValueError: ``proxy_auth`` is no BasicAuth.
            InvalidURL: The proxy cannot be used.
        """
        self.proxy = None if proxy is None else proxy_url(proxy)
        self.proxy_auth = checked_proxy_auth(proxy_auth)
        self.proxy_headers = (
            None if proxy_headers is None else CIMultiDict(proxy_headers)
        )

    def update_body_from_data(self, body: Any, _stacklevel: int = 3) -> None:
        """Set the body, and let the headers say what it is as far as they do not.

        Raises:
            TypeError: It cannot be sent.
        """
        self._body = payload = None if body is None else make_payload(body)
        if payload is None:
            return
        if not self._has_framing():
            if payload.size is None:
                self.chunked = True
            else:
                self.headers["Content-Length"] = str(payload.size)
        facts = [("Content-Type", payload.content_type), *(payload.extra_headers or ())]
        for name, value in facts:
            if name not in self.headers and name.lower() not in self._skip:
                self.headers[name] = value

    def _has_framing(self) -> bool:
        """Say whether the end of the body is marked without its own length."""
        headers = self.headers
        return bool(
            self._is_chunked()
            or "Transfer-Encoding" in headers
            or "Content-Length" in headers
        )

    def _is_chunked(self) -> bool:
        """Say whether the chunked coding is asked for; HTTP/1.0 does not know it."""
        return bool(self.chunked) and self.version >= HttpVersion11

    def update_transfer_encoding(self) -> None:
        """Let the headers say how the end of the body is marked.

        Raises:
            ValueError: The headers say that already, and ``chunked`` is True.
        """
        headers = self.headers
        if self._is_chunked():
            if "Transfer-Encoding" in headers:
                msg = (
                    "chunked can not be set if Transfer-Encoding header is set, it is "
                    f"{shown(headers['Transfer-Encoding'])}"
                )
                raise ValueError(msg)
            if "Content-Length" in headers:
                msg = "chunked can not be set if Content-Length header is set"
                raise ValueError(msg)
            if self._body is not None or self.method not in self.GET_METHODS:
                headers["Transfer-Encoding"] = "chunked"
                self._sets_coding = True
        elif (
            self._body is None
            and self.method not in self.GET_METHODS
            and not self._has_framing()
        ):
            headers["Content-Length"] = "0"

    def update_expect_continue(self, expect: bool = False) -> None:
        """Say that the body waits until the server asks for it.

        Without a body, and in HTTP/1.0, nobody would (RFC 9110 section 10.1.1).
        """
        if expect and self._body is not None and self.version >= HttpVersion11:
            self.headers["Expect"] = CONTINUE

    # --- what is sent; for the client's own layers ----------------------------------

    def plan(self, payload: Payload | None, connector: BaseConnector) -> Plan:
        """Turn it into bytes.

        Args:
            payload: The body as it goes out.
            connector: Where it goes out.

        Raises:
            ValueError: Something in it cannot be sent.
            InvalidURL: The proxy cannot be used.
        """
        self._settle_framing()
        fields = self.headers
        if fields.get("Host") == self._automatic_host:
            # It is that of the URL, which a middleware may have changed.
            fields = CIMultiDict(fields)
            del fields["Host"]
        block = HeaderBlock(fields, self._skip | AUTOMATIC_NAMES)
        if block.is_chunked and self.version < HttpVersion11:
            msg = "Transfer-Encoding in headers, which HTTP/1.0 does not know"
            raise ValueError(msg)
        return Plan(
            checked_method(self.method),
            self._settled_target(),
            block,
            payload,
            ssl=connector.tls_setting(self.ssl),
            force_close=connector.force_close,
            proxy=self._route(),
            server_hostname=self.server_hostname,
            version=self.version,
        )

    def explain(
        self, failure: BaseException, connector: BaseConnector, timeout: ClientTimeout
    ) -> BaseException:
        """Say why there is no connection for it, in public words."""
        return explain_dial(failure, self.plan(None, connector), timeout)

    def _settle_framing(self) -> None:
        """Follow what was changed since the headers were written."""
        headers, has_body = self.headers, self._body is not None
        if self.compress and has_body:
            headers.setdefault("Content-Encoding", self.compress)
            headers.pop("Content-Length", None)
        if self._is_chunked() and has_body:
            if "Transfer-Encoding" not in headers:
                headers.pop("Content-Length", None)
                headers["Transfer-Encoding"] = "chunked"
                self._sets_coding = True
        elif self._sets_coding and not self._is_chunked():
            headers.pop("Transfer-Encoding", None)

    def _settled_target(self) -> Target:
        """Work out the URL again if it was changed."""
        if self.url != self._target.url:
            fragment = self.original_url.raw_fragment
            self._target = Target(self.url.with_fragment(fragment or None))
        return self._target

    def _route(self) -> ProxyRoute | None:
        if self.proxy is None:
            return None
        proxy = proxy_url(self.proxy)
        check_fields((self.proxy_headers or {}).items())
        return make_route(proxy, self.url, self.proxy_auth, self.proxy_headers)


ClientHandlerType = Callable[[ClientRequest], Awaitable[ClientResponse]]
ClientMiddlewareType = Callable[
    [ClientRequest, ClientHandlerType], Awaitable[ClientResponse]
]
