"""What users may implement themselves: the protocols between the client and its parts.

Compat: the names of ``aiohttp.abc`` that concern clients.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING, Any, TypedDict

from yarl import URL

from windtunnel._base.compat import override

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from http.cookies import BaseCookie, Morsel, SimpleCookie

    ClearCookiePredicate = Callable[[Morsel[str]], bool]
    LooseCookies = (
        Mapping[str, str | BaseCookie[str] | Morsel[Any]]
        | Iterable[tuple[str, str | BaseCookie[str] | Morsel[Any]]]
        | BaseCookie[str]
    )

_EMPTY_URL = URL()


class AbstractCookieJar(Sized, Iterable["Morsel[str]"], ABC):
    """Where a session keeps its cookies.

    Iterating over a jar gives its cookies; its length is their number.

    Args:
        loop: Ignored; kept for callers that give it.
    """

    def __init__(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop

    @property
    @abstractmethod
    def unsafe(self) -> bool:
        """Whether hosts that are IP addresses may set cookies."""

    @property
    @abstractmethod
    def quote_cookie(self) -> bool:
        """Whether values are quoted in requests."""

    @property
    def treat_as_secure_origin(self) -> frozenset[URL]:
        """Origins that get Secure cookies although they are not https."""
        return frozenset()

    @property
    @abstractmethod
    def cookies(self) -> Mapping[tuple[str, str], SimpleCookie]:
        """The cookies by domain and path, to look at."""

    @property
    @abstractmethod
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        """Domain, path and name of the cookies that only their own host gets."""

    @abstractmethod
    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        """Remove all cookies, or those for which the predicate says so."""

    @abstractmethod
    def clear_domain(self, domain: str) -> None:
        """Remove the cookies of a domain and of the domains inside it."""

    @abstractmethod
    def update_cookies(
        self, cookies: LooseCookies, response_url: URL = _EMPTY_URL
    ) -> None:
        """Store cookies, as if the URL had set them; without one, for every host."""

    def update_cookies_from_headers(
        self, headers: Sequence[str], response_url: URL
    ) -> None:
        """Store the cookies of ``Set-Cookie`` values that a response of the URL had."""
        from windtunnel._policy.morsels import from_set_cookie

        if found := from_set_cookie(headers):
            self.update_cookies([(each.key, each) for each in found], response_url)

    @abstractmethod
    def filter_cookies(self, request_url: URL) -> BaseCookie[str]:
        """Give the cookies that a request for the URL has to carry."""

    @abstractmethod
    @override
    def __iter__(self) -> Iterator[Morsel[str]]: ...


class ResolveResult(TypedDict):
    """One address of a host.

    Attributes:
        hostname: The name that was looked up.
        host: The address.
        port: As it was asked for.
        family: ``socket.AF_INET`` or ``socket.AF_INET6``.
        proto: Number of the protocol, 0 for any.
        flags: How the address is to be read again: ``socket.AI_NUMERICHOST`` and more.
    """

    hostname: str
    host: str
    port: int
    family: int
    proto: int
    flags: int


class AbstractResolver(ABC):
    """Turns host names into addresses, for ``TCPConnector(resolver=...)``."""

    @abstractmethod
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up.

        Args:
            host: The name.
            port: Goes into the results.
            family: Which addresses are wanted.

        Returns:
            The addresses in order of preference.

        Raises:
            OSError: The name has none.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything; no look-up follows."""
