"""The session: its defaults, and what they make of a call.

What a caller writes comes in; a ``Request`` with every default merged goes to the
exchange. It decides nothing about connections or bytes.
"""

from __future__ import annotations

import json as json_module
import warnings
from asyncio import get_running_loop
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack, cast

from multidict import CIMultiDict, getversion, istr

from windtunnel._base.compat import override
from windtunnel._base.typedefs import UNSET, HttpVersion, HttpVersion11, Unset
from windtunnel._body.payloads import request_payload
from windtunnel._exchange.attempt import check_status
from windtunnel._exchange.client_request import ClientRequest
from windtunnel._exchange.headers import (
    HeaderBlock,
    checked_method,
    lower_names,
    merge_headers,
)
from windtunnel._exchange.request import Plan, Request
from windtunnel._exchange.response import ClientResponse
from windtunnel._exchange.run import run
from windtunnel._exchange.target import Target
from windtunnel._exchange.way import session_way
from windtunnel._policy.deadline import deadline_at
from windtunnel._policy.url import build_url, make_base_url
from windtunnel._session.call import NO_OPTIONS, Call, Terms, session_timeout, utf8
from windtunnel._session.defaults import Defaults
from windtunnel._session.life import IS_DEVELOPING, own_loop, set_and_warn
from windtunnel._session.options import (
    WEBSOCKET_NAMES,
    check_names,
    warn_of_old_defaults,
)
from windtunnel._session.policies import Policies
from windtunnel._session.verbs import Verbs
from windtunnel._transport.settings import DEFAULT_READ_BUFSIZE, ReadSettings
from windtunnel._transport.tcp import TCPConnector
from windtunnel._websocket.socket import ClientWebSocketResponse
from windtunnel._wire.limits import Limits

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

    from yarl import URL

    from windtunnel._body.payloads import Payload
    from windtunnel._exchange.attempt import StatusCheck
    from windtunnel._exchange.client_request import ClientMiddlewareType
    from windtunnel._exchange.headers import Headers
    from windtunnel._policy.auth import BasicAuth
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._session.options import WebSocketOptions
    from windtunnel._session.tracing import TraceConfig
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.tls import TlsSetting
    from windtunnel._websocket.connect import WSConnectContext
    from windtunnel.abc import AbstractCookieJar, LooseCookies

_KEPT_TARGETS = 1024
_KEPT_PLANS = 16
_KEPT_BLOCKS = 16


class ClientSession(Defaults, Verbs):
    """Sends requests, with common defaults and a pool of connections.

    Make it inside a running event loop, and close it, best with ``async with``.

    Args:
        base_url: What relative URLs are joined to; its path must end with a slash.
        connector: Where connections come from, a new ``TCPConnector`` if not given.
        loop: Deprecated: the event loop, if it is not the running one.
        cookies: Put into the jar, for every host.
        cookie_jar: Where cookies are kept, a new ``CookieJar`` if not given.
        auth: Deprecated: ``BasicAuth`` for the first origin of each request.
        middlewares: Called around each attempt, the outermost first.
        trace_configs: Who watches; they cannot be changed afterwards.
        requote_redirect_url: Whether redirect targets are put into normal form.
        retry_connection: Whether a request that may be repeated is, once, when its
            connection breaks before an answer.
        connector_owner: Whether ``close`` closes the connector.
        headers: Defaults for every request; ``headers`` of the session can be changed.
        skip_auto_headers: Names of automatic fields that are not to be sent.
        json_serialize: Turns the ``json`` argument into text.
        json_serialize_bytes: Turns it into bytes, in place of the former.
        request_class: What middlewares see, a subclass of ``ClientRequest``.
        response_class: What requests give, a subclass of ``ClientResponse``.
        ws_response_class: What ``ws_connect`` makes.
        version: Of the protocol, ``HttpVersion11`` or ``HttpVersion10``.
        raise_for_status: True to raise for each status of 400 or above, or an
            asynchronous function that looks at the response.
        read_timeout: Deprecated: ``total`` of ``timeout``.
        conn_timeout: Deprecated: ``connect`` of ``timeout``.
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
        ssl_shutdown_timeout: Deprecated: that of the new ``TCPConnector``.

    Raises:
        ValueError: base_url is not absolute, timeout is no ClientTimeout or was given
            in several forms.
        TypeError: An argument is of the wrong type.
        RuntimeError: No event loop is running, or the connector is of another one.

    Compat: aiohttp's ClientSession.
    """

    __slots__ = (
        "_base_url",
        "_block",
        "_block_version",
        "_blocks",
        "_dumps",
        "_resolve_charset",
        "_schemes",
        "_targets",
        "_ws_class",
    )

    ATTRS = Defaults.ATTRS.union(
        Defaults.__slots__,
        __slots__,
        ("requote_redirect_url", "_retry_connection"),
    )
    if IS_DEVELOPING:
        __setattr__ = set_and_warn

    def __init__(
        self,
        base_url: str | URL | None = None,
        *,
        connector: BaseConnector | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        cookies: LooseCookies | None = None,
        headers: Headers | None = None,
        proxy: str | URL | None = None,
        proxy_auth: BasicAuth | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        auth: BasicAuth | None = None,
        json_serialize: Callable[[Any], str] = json_module.dumps,
        json_serialize_bytes: Callable[[Any], bytes] | None = None,
        request_class: type[ClientRequest] = ClientRequest,
        response_class: type[ClientResponse] = ClientResponse,
        ws_response_class: type[ClientWebSocketResponse] = ClientWebSocketResponse,
        version: HttpVersion = HttpVersion11,
        cookie_jar: AbstractCookieJar | None = None,
        connector_owner: bool = True,
        raise_for_status: StatusCheck = False,
        read_timeout: float | Unset | None = UNSET,
        conn_timeout: float | None = None,
        timeout: ClientTimeout | Unset | None = UNSET,
        auto_decompress: bool = True,
        trust_env: bool = False,
        requote_redirect_url: bool = True,
        trace_configs: Iterable[TraceConfig] | None = None,
        read_bufsize: int = DEFAULT_READ_BUFSIZE,
        max_line_size: int = 8190,
        max_field_size: int = 8190,
        max_headers: int = 128,
        max_decoded_size: int | None = None,
        fallback_charset_resolver: Callable[[ClientResponse, bytes], str] = utf8,
        middlewares: Sequence[ClientMiddlewareType] = (),
        ssl_shutdown_timeout: float | Unset | None = UNSET,
        retry_connection: bool = True,
    ) -> None:
        super().__init__(own_loop(loop, connector))
        self._base_url = None if base_url is None else make_base_url(base_url)
        self._headers = merge_headers(CIMultiDict(), headers)
        self._skip_names = frozenset(map(istr, skip_auto_headers or ()))
        self._skip = lower_names(self._skip_names)
        self._json_serialize = json_serialize
        self._dumps = json_serialize_bytes or json_serialize
        self._ws_class = ws_response_class
        self._raise_for_status = raise_for_status
        self._resolve_charset = fallback_charset_resolver
        limits = session_timeout(timeout, read_timeout, conn_timeout)
        settings = ReadSettings(
            Limits(max_line_size, max_field_size, max_headers),
            read_bufsize,
            auto_decompress,
            limits.sock_read,
            max_decoded_size,
        )
        way = session_way(proxy, proxy_auth, trust_env)
        self._terms = Terms(limits, settings, way, True, way is not None)
        self._policies = Policies(
            self._base_url,
            cookies=cookies,
            cookie_jar=cookie_jar,
            auth=auth,
            middlewares=middlewares,
            trace_configs=trace_configs,
            requotes=requote_redirect_url,
            may_retry=retry_connection,
            version=version,
            request_class=request_class,
            response_class=response_class,
        )
        self._targets: dict[str | URL, Target] = {}
        self._make_block()
        warn_of_old_defaults(
            auth, proxy_auth, read_timeout, conn_timeout, ssl_shutdown_timeout
        )
        if connector is None:
            connector = TCPConnector(
                loop=self._loop, ssl_shutdown_timeout=ssl_shutdown_timeout
            )
        self._schemes = connector.allowed_protocol_schema_set - {""}
        self._connector = connector
        self._connector_owner = connector_owner

    @override
    def __init_subclass__(cls) -> None:
        warnings.warn(
            f"Inheritance class {cls.__name__} from ClientSession is discouraged",
            DeprecationWarning,
            stacklevel=3,  # over the metaclass
        )

    # --- the request ----------------------------------------------------------------

    @override
    async def _request(
        self, method: str, url: str | URL, **options: Any
    ) -> ClientResponse:
        connector, loop = self._connector, self._loop
        if connector is None or connector.closed or get_running_loop() is not loop:
            raise self._unusable()
        started = loop.time()
        call, terms = NO_OPTIONS, self._terms
        if options:
            call = Call(options)
            terms = call.terms(terms)
        timeout = terms.timeout
        total_at = deadline_at(started, timeout.total, timeout.ceil_threshold)
        target = self._target(url, call.params)
        payload = None
        if call.data is not None or call.json is not None:
            payload = request_payload(call.data, call.json, self._dumps)
        check = call.raise_for_status
        if check is None:
            check = self._raise_for_status
        policies = self._policies
        response = request = None
        if not terms.is_special and not policies.need_journey(payload):
            plan = self._plan(method, target, payload, call, terms.ssl)
            request = Request(plan, payload, terms.settings, timeout, started, total_at)
            response = await run(
                request, connector, self._resolve_charset, may_repeat=policies.may_retry
            )
            if not policies.goes_on(response, call.allow_redirects):
                if check:
                    await check_status(response, check)
                return response
        journey = policies.journey(
            call,
            terms,
            session=self,
            connector=connector,
            resolve_charset=self._resolve_charset,
            method=checked_method(method),
            target=target,
            fields=merge_headers(self._headers, call.headers),
            skip=self._skip | lower_names(call.skip_auto_headers),
            payload=payload,
            total_at=total_at,
            check=check,
        )
        return await journey.travel(response, request)

    def _plan(
        self,
        method: str,
        target: Target,
        payload: Payload | None,
        call: Call,
        ssl: TlsSetting | None,
    ) -> Plan:
        """Make the plan of a plain exchange, or take that of an equal one before."""
        block = self._header_block(call.headers, call.skip_auto_headers)
        # The id is that of the plan's own ssl, which therefore lives as long.
        kind = method if ssl is True else (method, id(ssl))
        plan = None if payload is not None else target.plans.get(kind)
        if plan is None or plan.block is not block:
            connector = self._connector
            assert connector is not None
            plan = Plan(
                checked_method(method),
                target,
                block,
                payload,
                ssl=connector.tls_setting(ssl),
                force_close=connector.force_close,
            )
            if payload is None:
                if len(target.plans) >= _KEPT_PLANS:
                    target.plans.clear()
                target.plans[kind] = plan
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
        # The session's headers may be changed at any time.
        if getversion(self._headers) != self._block_version:
            self._make_block()
        if not (headers or skip):
            return self._block
        if skip or not isinstance(headers, Mapping):
            merged = merge_headers(self._headers, headers)
            return HeaderBlock(merged, self._skip | lower_names(skip))
        given = tuple(cast("Mapping[str, str]", headers).items())
        try:
            block = self._blocks.get(given)
        except TypeError:
            # A value is not even hashable; making the block says what it should be.
            block = None
        if block is None:
            block = HeaderBlock(merge_headers(self._headers, given), self._skip)
            if len(self._blocks) >= _KEPT_BLOCKS:
                self._blocks.clear()
            self._blocks[given] = block
        return block

    def _make_block(self) -> None:
        # What was made of calls' headers, most of which are the same each time.
        self._blocks: dict[tuple[tuple[str, str], ...], HeaderBlock] = {}
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

        if options:
            check_names("ClientSession.ws_connect", options, WEBSOCKET_NAMES)
        connector = self._connector
        threshold = 5 if connector is None else connector.pool.ceil_threshold
        return WSConnectContext(
            connect(self._request, self._ws_class, threshold, url, **options)
        )
