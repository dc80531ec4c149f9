"""What a session decides for its requests beyond defaults: cookies, credentials, ways.

The arguments of a session and of one request come in; whether a request needs more than
one plain exchange, and the ``Journey`` if so, go out.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from windtunnel._exchange.journey import Journey
from windtunnel._policy.auth import checked_auth, effective_authorization
from windtunnel._policy.redirect import REDIRECT_STATUSES, origin_of
from windtunnel._session.cookie_jar import CallCookies, CookieJar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from yarl import URL

    from windtunnel._body.payloads import Payload
    from windtunnel._exchange.client_request import ClientMiddlewareType
    from windtunnel._exchange.response import ClientResponse
    from windtunnel._exchange.target import Target
    from windtunnel._policy.auth import BasicAuth
    from windtunnel._session.tracing import TraceConfig
    from windtunnel.abc import AbstractCookieJar, LooseCookies


class Wishes(NamedTuple):
    """The arguments of one request that concern its way.

    Attributes:
        cookies: Its own cookies, None or empty without.
        auth: Its own credentials.
        allow_redirects: Whether to follow redirects.
        max_redirects: The limit, 0 for none.
        middlewares: In place of those of the session, None for those.
        trace_request_ctx: For the context of the trace configs.
    """

    cookies: LooseCookies | None
    auth: BasicAuth | None
    allow_redirects: bool
    max_redirects: int
    middlewares: Sequence[ClientMiddlewareType] | None
    trace_request_ctx: Any


class Policies:
    """The same for all requests of a session.

    Attributes:
        jar: Its cookies.
        auth: Its credentials, None without.
        trace_configs: Who watches, frozen.
        requotes: Whether redirect targets are put into normal form.
        may_retry: Whether a broken connection is tried once more.
    """

    __slots__ = (
        "_auth_origin",
        "_is_special",
        "_middlewares",
        "auth",
        "jar",
        "may_retry",
        "requotes",
        "trace_configs",
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
    ) -> None:
        self.jar = CookieJar() if cookie_jar is None else cookie_jar
        if cookies:
            self.jar.update_cookies(cookies)
        self.auth = checked_auth(auth, "auth")
        if auth is not None:
            warn_of_auth(stacklevel=4)
        # Compat: aiohttp sends the credentials of a session without a base_url to all.
        self._auth_origin = None if base_url is None else origin_of(base_url)
        self._middlewares = tuple(middlewares)
        self.trace_configs = list(trace_configs or ())
        for config in self.trace_configs:
            config.freeze()
        self.requotes = requotes
        self.may_retry = may_retry
        self._is_special = bool(auth or self._middlewares or self.trace_configs)

    def need_journey(
        self,
        payload: Payload | None,
        cookies: LooseCookies | None,
        auth: BasicAuth | None,
        middlewares: Sequence[ClientMiddlewareType] | None,
    ) -> bool:
        """Say whether a request needs more than one plain exchange from the start."""
        if self._is_special or self.jar or cookies or auth is not None or middlewares:
            return True
        # A plain exchange closes its body, which a redirect may ask for again.
        return payload is not None and payload.body is None

    def goes_on(self, response: ClientResponse, allow_redirects: bool) -> bool:
        """Say whether the response to a plain exchange has to be looked at."""
        if allow_redirects and response.status in REDIRECT_STATUSES:
            return True
        return bool(response.set_cookie_fields())

    def journey(
        self, wishes: Wishes, method: str, target: Target, session: Any, **asked: Any
    ) -> Journey:
        """Make the way of a request.

        Args:
            wishes: What it asks for.
            method: Its method.
            target: Its URL.
            session: Shown to middlewares and trace handlers.
            **asked: The other attributes of ``Journey``.

        Raises:
            TypeError: ``auth`` is no BasicAuth.
            ValueError: There are several credentials.
        """
        auth = checked_auth(wishes.auth, "auth")
        if auth is not None:
            warn_of_auth(stacklevel=5)
        home = ""
        is_home = self._auth_origin in (None, origin_of(target.url))
        if self.auth is not None and is_home:
            home = self.auth.encode()
        authorization = effective_authorization(
            auth, target.authorization, home, "Authorization" in asked["fields"]
        )
        middlewares = wishes.middlewares
        return Journey(
            method=method,
            target=target,
            session=session,
            jar=self.jar,
            cookies=self._call_cookies(wishes.cookies),
            authorization=authorization,
            middlewares=self._middlewares if middlewares is None else middlewares,
            tracer=self._tracer(session, wishes.trace_request_ctx),
            follows=wishes.allow_redirects,
            max_redirects=wishes.max_redirects,
            requotes=self.requotes,
            may_retry=self.may_retry,
            **asked,
        )

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


def warn_of_auth(stacklevel: int) -> None:
    """Tell the caller that ``auth`` is a thing of the past. Compat: aiohttp does."""
    warnings.warn(
        "The 'auth' parameter is deprecated; pass headers={'Authorization': "
        "encode_basic_auth(login, password)} instead",
        DeprecationWarning,
        stacklevel=stacklevel,
    )
