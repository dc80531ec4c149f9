"""What a session decides for its requests beyond defaults: cookies, credentials, ways.

The arguments of a session and of one request come in; whether a request needs more than
one plain exchange, and the ``Journey`` if so, go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windtunnel._base.typedefs import HttpVersion11
from windtunnel._exchange.client_request import ClientRequest
from windtunnel._exchange.journey import Home, Journey, Sending
from windtunnel._exchange.response import ClientResponse
from windtunnel._policy.auth import checked_auth, effective_authorization
from windtunnel._policy.redirect import REDIRECT_STATUSES, origin_of
from windtunnel._session.cookie_jar import CallCookies, CookieJar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from multidict import CIMultiDict
    from yarl import URL

    from windtunnel._base.typedefs import HttpVersion
    from windtunnel._body.payloads import Payload
    from windtunnel._exchange.attempt import StatusCheck
    from windtunnel._exchange.client_request import ClientMiddlewareType
    from windtunnel._exchange.target import Target
    from windtunnel._policy.auth import BasicAuth
    from windtunnel._session.call import Call, Terms
    from windtunnel._session.tracing import TraceConfig
    from windtunnel._transport.connector import BaseConnector
    from windtunnel.abc import AbstractCookieJar, LooseCookies


class Policies:
    """The same for all requests of a session.

    Attributes:
        jar: Its cookies.
        auth: Its credentials, None without.
        trace_configs: Who watches, frozen.
        requotes: Whether redirect targets are put into normal form.
        may_retry: Whether a broken connection is tried once more.
        version: Of the protocol.
    """

    __slots__ = (
        "_auth_origin",
        "_is_special",
        "_middlewares",
        "_request_class",
        "_response_class",
        "auth",
        "jar",
        "may_retry",
        "requotes",
        "trace_configs",
        "version",
    )

    def __init__(
        self,
        base_url: URL | None,
        *,
        cookies: LooseCookies | None,
        cookie_jar: AbstractCookieJar | None,
        auth: BasicAuth | None,
        middlewares: Sequence[ClientMiddlewareType],
        trace_configs: Iterable[TraceConfig] | None,
        requotes: bool,
        may_retry: bool,
        version: HttpVersion,
        request_class: type[ClientRequest],
        response_class: type[ClientResponse],
    ) -> None:
        self.jar = CookieJar() if cookie_jar is None else cookie_jar
        if cookies:
            self.jar.update_cookies(cookies)
        self.auth = checked_auth(auth, "auth")
        # Compat: aiohttp sends the credentials of a session without a base_url to all.
        self._auth_origin = None if base_url is None else origin_of(base_url)
        self._middlewares = tuple(middlewares)
        self.trace_configs = list(trace_configs or ())
        for config in self.trace_configs:
            config.freeze()
        self.requotes = requotes
        self.may_retry = may_retry
        self.version = version
        self._request_class = request_class
        self._response_class = response_class
        self._is_special = bool(
            auth
            or self._middlewares
            or self.trace_configs
            or version != HttpVersion11
            or request_class is not ClientRequest
            or response_class is not ClientResponse
        )

    def need_journey(self, payload: Payload | None) -> bool:
        """Say whether a request needs more than one plain exchange from the start."""
        if self._is_special or self.jar:
            return True
        # A plain exchange closes its body, which a redirect may ask for again.
        return payload is not None and payload.body is None

    def goes_on(self, response: ClientResponse, allow_redirects: bool) -> bool:
        """Say whether the response to a plain exchange has to be looked at."""
        if allow_redirects and response.status in REDIRECT_STATUSES:
            return True
        return bool(response.set_cookie_fields())

    def journey(
        self,
        call: Call,
        terms: Terms,
        *,
        session: Any,
        connector: BaseConnector,
        resolve_charset: Callable[[ClientResponse, bytes], str],
        method: str,
        target: Target,
        fields: CIMultiDict[str],
        skip: frozenset[str],
        payload: Payload | None,
        total_at: float,
        check: StatusCheck,
    ) -> Journey:
        """Make the way of a request.

        Args:
            call: What was asked for.
            terms: The settings in force.
            session: Shown to middlewares and trace handlers.
            connector: Where connections come from.
            resolve_charset: Names the encoding of a body that does not declare one.
            method: As sent.
            target: The URL.
            fields: Header fields, with the session's merged in.
            skip: Names of automatic fields that are not sent, in lower case.
            payload: The body, None without one.
            total_at: When all must be over, on the loop's clock.
            check: What ``raise_for_status`` is.

        Raises:
            TypeError: ``auth`` is no BasicAuth.
            ValueError: There are several credentials.
        """
        authorization = self._authorization(call, target, "Authorization" in fields)
        middlewares = call.middlewares
        return Journey(
            home=Home(
                session,
                connector,
                resolve_charset,
                self.jar,
                self.requotes,
                self.may_retry,
                self.version,
                self._request_class,
                self._response_class,
            ),
            method=method,
            target=target,
            fields=fields,
            skip=skip,
            payload=payload,
            sending=Sending(
                call.compress, call.chunked, call.expect100, call.upload_tracker
            ),
            ssl=True if terms.ssl is None else terms.ssl,
            way=terms.way,
            settings=terms.settings,
            timeout=terms.timeout,
            total_at=total_at,
            cookies=self._call_cookies(call.cookies),
            authorization=authorization,
            middlewares=self._middlewares if middlewares is None else middlewares,
            tracer=self._tracer(session, call.trace_request_ctx),
            follows=call.allow_redirects,
            max_redirects=call.max_redirects,
            check=check,
        )

    def _authorization(self, call: Call, target: Target, has_field: bool) -> str:
        """Choose among the credentials of the call, its URL and the session."""
        auth = checked_auth(call.auth, "auth")
        home = ""
        is_home = self._auth_origin in (None, origin_of(target.url))
        if self.auth is not None and is_home:
            home = self.auth.encode()
        return effective_authorization(auth, target.authorization, home, has_field)

    def _call_cookies(self, cookies: LooseCookies | None) -> CallCookies | None:
        if not cookies:
            return None
        jar = CallCookies(
            unsafe=self.jar.unsafe,
            quote_cookie=self.jar.quote_cookie,
            treat_as_secure_origin=self.jar.treat_as_secure_origin,
        )
        jar.update_cookies(cookies)
        return jar

    def _tracer(self, session: Any, trace_request_ctx: Any) -> Any:
        if not self.trace_configs:
            return None
        from windtunnel._session.tracing import Tracer

        return Tracer(session, self.trace_configs, trace_request_ctx)
