"""The session: verbs, defaults, and the life of the connector.

What a caller writes comes in; a ``Request`` with every default merged goes to the
exchange. It decides nothing about connections or bytes.
"""

from __future__ import annotations

import asyncio
import json as json_module
import warnings
from typing import TYPE_CHECKING, Any, Self, Unpack

from multidict import CIMultiDict, getversion

from windtunnel._base.compat import override
from windtunnel._base.typedefs import UNSET, Unset
from windtunnel._body.payloads import compressed, request_payload
from windtunnel._exchange.headers import HeaderBlock, checked_method, merge_headers
from windtunnel._exchange.request import Plan, Request
from windtunnel._exchange.run import run
from windtunnel._exchange.target import Target
from windtunnel._exchange.way import call_way, session_way
from windtunnel._policy.deadline import deadline_at
from windtunnel._policy.url import build_url, make_base_url
from windtunnel._session.options import (
    check_status,
    lower_names,
    merge_settings,
    request_timeout,
    session_timeout,
    utf8,
)
from windtunnel._session.policies import Policies, Wishes
from windtunnel._session.verbs import Verbs
from windtunnel._transport.settings import DEFAULT_READ_BUFSIZE, ReadSettings
from windtunnel._transport.tcp import TCPConnector
from windtunnel._websocket.socket import ClientWebSocketResponse
from windtunnel._wire.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from yarl import URL

    from windtunnel._body.payloads import Payload
    from windtunnel._exchange.client_request import ClientMiddlewareType
    from windtunnel._exchange.response import ClientResponse
    from windtunnel._policy.auth import BasicAuth
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._session.options import (
        Headers,
        StatusCheck,
        WebSocketOptions,
    )
    from windtunnel._session.tracing import TraceConfig
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.tls import TlsSetting
    from windtunnel._websocket.connect import WSConnectContext
    from windtunnel.abc import AbstractCookieJar, LooseCookies

_KEPT_TARGETS = 1024


class ClientSession(Verbs):
    """Sends requests, with common defaults and a pool of connections.

    Make it inside a running event loop, and close it, best with ``async with``.

    Args:
        base_url: What relative URLs are joined to; its path must end with a slash.
        cookies: Put into the jar, for every host.
        cookie_jar: Where cookies are kept, a new ``CookieJar`` if not given.
        auth: Deprecated: ``BasicAuth`` for the first origin of each request.
        middlewares: Called around each attempt, the outermost first.
        trace_configs: Who watches; they cannot be changed afterwards.
        requote_redirect_url: Whether redirect targets are put into normal form.
        retry_connection: Whether a request that may be repeated is, once, when its
            connection breaks before an answer.
        connector: Where connections come from, a new ``TCPConnector`` if not given.
        connector_owner: Whether ``close`` closes the connector.
        headers: Defaults for every request; ``headers`` of the session can be changed.
        skip_auto_headers: Names of automatic fields that are not to be sent.
        json_serialize: Turns the ``json`` argument into text.
        ws_response_class: What ``ws_connect`` makes.
        raise_for_status: True to raise for each status of 400 or above, or an
            asynchronous function that looks at the response.
        timeout: Timeouts of every request; 300 s in total and 30 s for making a
            connection if not given.
        proxy: URL of an http or https proxy for every request.
        proxy_auth: Deprecated: ``BasicAuth`` for it.
        trust_env: Whether to take proxies from the environment, and credentials from
            the netrc file.
        auto_decompress: Whether to undo content codings.
        read_bufsize: Bytes of a body to keep before reading slows down.
        max_line_size: Bytes of a status line at most.
        max_field_size: Bytes of a header field at most, name and value together.
        max_headers: Header fields at most.
        max_decoded_size: Bytes that a compressed body may decode to; one more is a
            ``ClientPayloadError``. None for any number.
        fallback_charset_resolver: Names the encoding of a body that does not declare
            one.

    Raises:
        ValueError: base_url is not absolute, timeout is no ClientTimeout.
        RuntimeError: No event loop is running, or the connector is of another one.

    Compat: aiohttp's ClientSession.
    """

    __slots__ = (
        "__weakref__",
        "_base_url",
        "_block",
        "_block_version",
        "_connector",
        "_connector_owner",
        "_headers",
        "_json_serialize",
        "_loop",
        "_policies",
        "_raise_for_status",
        "_resolve_charset",
        "_schemes",
        "_settings",
        "_skip",
        "_targets",
        "_timeout",
        "_way",
        "_ws_class",
    )

    def __init__(
        self,
        base_url: str | URL | None = None,
        *,
        cookies: LooseCookies | None = None,
        cookie_jar: AbstractCookieJar | None = None,
        auth: BasicAuth | None = None,
        middlewares: Sequence[ClientMiddlewareType] = (),
        trace_configs: Iterable[TraceConfig] | None = None,
        requote_redirect_url: bool = True,
        retry_connection: bool = True,
        connector: BaseConnector | None = None,
        connector_owner: bool = True,
        headers: Headers | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        json_serialize: Callable[[Any], str] = json_module.dumps,
        ws_response_class: type[ClientWebSocketResponse] = ClientWebSocketResponse,
        raise_for_status: StatusCheck = False,
        timeout: ClientTimeout | Unset | None = UNSET,
        proxy: str | URL | None = None,
        proxy_auth: BasicAuth | None = None,
        trust_env: bool = False,
        auto_decompress: bool = True,
        read_bufsize: int = DEFAULT_READ_BUFSIZE,
        max_line_size: int = 8190,
        max_field_size: int = 8190,
        max_headers: int = 128,
        max_decoded_size: int | None = None,
        fallback_charset_resolver: Callable[[ClientResponse, bytes], str] = utf8,
    ) -> None:
        # First, so that __del__ finds it whatever fails below.
        self._connector: BaseConnector | None = None
        self._loop = asyncio.get_running_loop()
        self._base_url = None if base_url is None else make_base_url(base_url)
        self._timeout = timeout = session_timeout(timeout)
        # getversion takes no narrower type.
        self._headers: CIMultiDict[Any] = merge_headers(CIMultiDict(), headers)
        self._skip = lower_names(skip_auto_headers)
        self._json_serialize = json_serialize
        self._ws_class = ws_response_class
        self._raise_for_status = raise_for_status
        self._resolve_charset = fallback_charset_resolver
        self._settings = ReadSettings(
            Limits(max_line_size, max_field_size, max_headers),
            read_bufsize,
            auto_decompress,
            timeout.sock_read,
            max_decoded_size,
        )
        self._policies = Policies(
            self._base_url,
            cookies=cookies,
            cookie_jar=cookie_jar,
            auth=auth,
            middlewares=middlewares,
            trace_configs=trace_configs,
            requotes=requote_redirect_url,
            may_retry=retry_connection,
        )
        self._way = session_way(proxy, proxy_auth, trust_env)
        self._targets: dict[str | URL, Target] = {}
        self._make_block()
        self._connector_owner = connector_owner
        if connector is None:
            connector = TCPConnector()
        elif connector.loop is not self._loop:
            msg = "Session and connector have to use same event loop"
            raise RuntimeError(msg)
        self._schemes = connector.allowed_protocol_schema_set - {""}
        self._connector = connector

    # --- the request ----------------------------------------------------------------

    @override
    async def _request(
        self,
        method: str,
        url: str | URL,
        *,
        params: Any = None,
        data: Any = None,
        json: Any = None,
        compress: str | bool | None = None,
        headers: Headers | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        timeout: ClientTimeout | float | Unset | None = UNSET,  # noqa: ASYNC109  # API
        ssl: TlsSetting | None = True,
        raise_for_status: StatusCheck | None = None,
        cookies: LooseCookies | None = None,
        auth: BasicAuth | None = None,
        allow_redirects: bool = True,
        max_redirects: int = 10,
        middlewares: Sequence[ClientMiddlewareType] | None = None,
        trace_request_ctx: Any = None,
        **rare: Any,
    ) -> ClientResponse:
        connector = self._connector
        if connector is None or connector.closed:
            msg = "Session is closed"
            raise RuntimeError(msg)
        started = self._loop.time()
        settings = self._settings
        limits = self._timeout if timeout is UNSET else request_timeout(timeout)
        way = self._way
        if rare:
            way, ssl = call_way(way, ssl, rare)
        if rare or limits.sock_read != settings.sock_read:
            settings = merge_settings(settings, limits.sock_read, **rare)
        target = self._target(url, params)
        payload = None
        if data is not None or json is not None:
            payload = request_payload(data, json, self._json_serialize)
            if compress:
                payload = compressed(payload, compress, self._headers, headers)
        total_at = deadline_at(started, limits.total, limits.ceil_threshold)
        policies = self._policies
        response = request = None
        if way is None and not policies.need_journey(
            payload, cookies, auth, middlewares
        ):
            plan = self._plan(method, target, payload, headers, skip_auto_headers, ssl)
            request = Request(plan, payload, settings, limits, started, total_at)
            response = await run(
                request,
                connector,
                self._resolve_charset,
                may_repeat=policies.may_retry,
            )
        if response is None or policies.goes_on(response, allow_redirects):
            response = await policies.journey(
                Wishes(
                    cookies,
                    auth,
                    allow_redirects,
                    max_redirects,
                    middlewares,
                    trace_request_ctx,
                ),
                checked_method(method),
                target,
                self,
                connector=connector,
                resolve_charset=self._resolve_charset,
                fields=merge_headers(self._headers, headers),
                skip=self._skip | lower_names(skip_auto_headers),
                payload=payload,
                ssl=connector.tls_setting(ssl),
                way=way,
                settings=settings,
                timeout=limits,
                total_at=total_at,
            ).travel(response, request)
        if raise_for_status is None:
            raise_for_status = self._raise_for_status
        if raise_for_status:
            await check_status(response, raise_for_status)
        return response

    def _plan(
        self,
        method: str,
        target: Target,
        payload: Payload | None,
        headers: Headers | None,
        skip: Iterable[str] | None,
        ssl: TlsSetting | None,
    ) -> Plan:
        """Make the plan of a plain exchange, or take that of an equal one before."""
        connector = self._connector
        assert connector is not None
        block = self._header_block(headers, skip)
        plan = None if payload is not None else target.plans.get(method)
        if plan is None or plan.block is not block or ssl is not True:
            plan = Plan(
                checked_method(method),
                target,
                block,
                payload,
                ssl=connector.tls_setting(ssl),
                force_close=connector.force_close,
            )
            if payload is None and ssl is True and block is self._block:
                target.plans[method] = plan
        return plan

    def _target(self, url: str | URL, params: Any) -> Target:
        if params is not None:
            return Target(build_url(self._base_url, url, params, self._schemes))
        target = self._targets.get(url)
        if target is None:
            target = Target(build_url(self._base_url, url, None, self._schemes))
            if len(self._targets) >= _KEPT_TARGETS:
                self._targets.clear()
            self._targets[url] = target
        return target

    def _header_block(
        self, headers: Headers | None, skip: Iterable[str] | None
    ) -> HeaderBlock:
        if headers or skip:
            merged = merge_headers(self._headers, headers)
            return HeaderBlock(merged, self._skip | lower_names(skip))
        # The session's headers may be changed at any time.
        if getversion(self._headers) != self._block_version:
            self._make_block()
        return self._block

    def _make_block(self) -> None:
        self._block = HeaderBlock(self._headers, self._skip)
        self._block_version = getversion(self._headers)

    # --- WebSocket ------------------------------------------------------------------

    def ws_connect(
        self, url: str | URL, **options: Unpack[WebSocketOptions]
    ) -> WSConnectContext:
        """Open a WebSocket.

        Args:
            url: Where to, with http, https, ws or wss; else as in ``request``.
            **options: ``protocols`` are offered, the best first. ``timeout`` is a
                ``ClientWSTimeout``. ``autoclose`` and ``autoping`` say whether
                ``receive`` answers, ``heartbeat`` after how many seconds of silence to
                ask. ``compress`` offers compression with so many window bits, 9 to 15.
                ``max_msg_size`` is in bytes, 0 for any. ``decode_text=False`` gives
                text as bytes. ``origin`` is a field; the rest is as in ``request``.

        Returns:
            A ``ClientWebSocketResponse`` when awaited; ``async with`` closes it, too.

        Raises:
            WSServerHandshakeError: When awaited: the server declined; else as there.
        """
        # Here, so that programs without a WebSocket need not load it.
        from windtunnel._websocket.connect import WSConnectContext, connect

        return WSConnectContext(connect(self._request, self._ws_class, url, **options))

    # --- settings and life ----------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether requests can be sent no more."""
        return self._connector is None or self._connector.closed

    @property
    def connector(self) -> BaseConnector | None:
        """Where connections come from, None once the session is closed."""
        return self._connector

    @property
    def connector_owner(self) -> bool:
        """Whether ``close`` closes the connector."""
        return self._connector_owner

    @property
    def headers(self) -> CIMultiDict[str]:
        """Default headers; changes apply to the requests that follow."""
        return self._headers

    @property
    def skip_auto_headers(self) -> frozenset[str]:
        """Names of automatic fields that are not sent, in lower case."""
        return self._skip

    @property
    def timeout(self) -> ClientTimeout:
        """Timeouts of requests that do not say otherwise."""
        return self._timeout

    @property
    def json_serialize(self) -> Callable[[Any], str]:
        """What turns the ``json`` argument into text."""
        return self._json_serialize

    @property
    def raise_for_status(self) -> StatusCheck:
        """What is done with a status of 400 or above."""
        return self._raise_for_status

    @property
    def auto_decompress(self) -> bool:
        """Whether content codings are undone."""
        return self._settings.auto_decompress

    @property
    def cookie_jar(self) -> AbstractCookieJar:
        """Where cookies are kept."""
        return self._policies.jar

    @property
    def auth(self) -> BasicAuth | None:
        """Credentials of requests that have none."""
        return self._policies.auth

    @property
    def trace_configs(self) -> list[TraceConfig]:
        """Who watches."""
        return self._policies.trace_configs

    @property
    def requote_redirect_url(self) -> bool:
        """Whether redirect targets are put into normal form."""
        return self._policies.requotes

    @requote_redirect_url.setter
    def requote_redirect_url(self, value: bool) -> None:
        warnings.warn(
            "session.requote_redirect_url modification is deprecated",
            DeprecationWarning,
            stacklevel=2,
        )
        self._policies.requotes = value

    @property
    def retry_connection(self) -> bool:
        """Whether a request that may be repeated is, once, if its connection breaks."""
        return self._policies.may_retry

    @property
    def trust_env(self) -> bool:
        """Whether the environment is asked for proxies and credentials."""
        return self._way is not None and self._way.trusts_env

    def detach(self) -> None:
        """Forget the connector without closing it; the session is closed then."""
        self._connector = None

    async def close(self) -> None:
        """Close the session, and its connector if it owns it. Harmless if repeated."""
        connector, self._connector = self._connector, None
        if connector is not None and self._connector_owner:
            await connector.close()

    def __enter__(self) -> None:
        msg = "Use async with instead"
        raise TypeError(msg)

    def __exit__(self, *exc: object) -> None:
        """Exist, so that ``with`` reaches the sentence above."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        connector: BaseConnector | None = getattr(self, "_connector", None)
        if connector is None or connector.closed:
            return
        warnings.warn(
            f"Unclosed client session {self!r}",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
        if not self._loop.is_closed():
            self._loop.call_exception_handler(
                {"client_session": self, "message": "Unclosed client session"}
            )
