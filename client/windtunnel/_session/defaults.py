"""What a session does unless a request says otherwise, for everybody to look at."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from windtunnel._session.life import Life

if TYPE_CHECKING:
    from collections.abc import Callable

    from multidict import CIMultiDict

    from windtunnel._base.typedefs import HttpVersion
    from windtunnel._exchange.attempt import StatusCheck
    from windtunnel._policy.auth import BasicAuth
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._session.call import Terms
    from windtunnel._session.policies import Policies
    from windtunnel._session.tracing import TraceConfig
    from windtunnel.abc import AbstractCookieJar


class Defaults(Life):
    """The settings of a session; its constructor fills them in."""

    __slots__ = (
        "_headers",
        "_json_serialize",
        "_policies",
        "_raise_for_status",
        "_skip",
        "_skip_names",
        "_terms",
    )

    # getversion takes no narrower type.
    _headers: CIMultiDict[Any]
    _json_serialize: Callable[[Any], str]
    _policies: Policies
    _raise_for_status: StatusCheck
    _skip: frozenset[str]
    _skip_names: frozenset[str]
    _terms: Terms

    @property
    def headers(self) -> CIMultiDict[str]:
        """Default headers; changes apply to the requests that follow."""
        return self._headers

    @property
    def skip_auto_headers(self) -> frozenset[str]:
        """Names of automatic fields that are not sent, as they were given."""
        return self._skip_names

    @property
    def timeout(self) -> ClientTimeout:
        """Timeouts of requests that do not say otherwise."""
        return self._terms.timeout

    @property
    def version(self) -> HttpVersion:
        """Version of the protocol."""
        return self._policies.version

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
        return self._terms.settings.auto_decompress

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
    def _retry_connection(self) -> bool:
        """The same; test tools of the compatible API set it."""
        return self._policies.may_retry

    @_retry_connection.setter
    def _retry_connection(self, value: bool) -> None:
        self._policies.may_retry = value

    @property
    def trust_env(self) -> bool:
        """Whether the environment is asked for proxies and credentials."""
        way = self._terms.way
        return way is not None and way.trusts_env
