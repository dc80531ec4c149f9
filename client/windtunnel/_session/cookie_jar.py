"""The cookies of a session: which are taken, and which request gets them.

Morsels and URLs come in and go out. What a cookie means is decided in
``_policy.cookie_rules``; ``cookie_store`` is the memory. ``http.cookies`` is imported
when the first cookie comes.
"""

from __future__ import annotations

import time
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING

from yarl import URL

from windtunnel._base.compat import override
from windtunnel._base.typedefs import shown
from windtunnel._policy.cookie_rules import (
    breaks_prefix,
    domain_matches,
    expiry,
    is_address,
    path_matches,
    place,
)
from windtunnel._policy.redirect import origin_of
from windtunnel._session.cookie_store import DOMAIN_LIMIT, CookieStore, Kept
from windtunnel.abc import AbstractCookieJar

if TYPE_CHECKING:
    import asyncio
    import os
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping
    from http.cookies import BaseCookie, Morsel, SimpleCookie
    from typing import TypeAlias

    from windtunnel.abc import ClearCookiePredicate, LooseCookies

    PublicSuffixes: TypeAlias = Callable[[str], bool] | Container[str]

# How many cookies, in how many bytes, a request carries at most.
_MOST_SENT = (150, 8190)
_SECURE_SCHEMES = ("https", "wss")


class CookieJar(AbstractCookieJar):
    """Keeps the cookies that servers set, and gives each request its own.

    Args:
        unsafe: Take cookies from hosts that are IP addresses, too.
        quote_cookie: Quote values in requests by the rules of ``http.cookies``.
        treat_as_secure_origin: Origins, one or several, that get Secure cookies
            although their scheme is not https.
        loop: Ignored.
        public_suffixes: The domains in which anybody can have names, such as
            ``co.uk``: a function that says of a domain (lower case, ASCII, no dot
            around) whether it is one, or anything that is asked with ``in``. No server
            can set a cookie for such a domain then. Without it none is known.

    Raises:
        TypeError: ``public_suffixes`` cannot be asked.
        ValueError: ``treat_as_secure_origin`` has what is no origin.

    Spec: RFC 6265 section 5; draft-ietf-httpbis-rfc6265bis for Secure cookies, name
    prefixes and the 400 days that a cookie lives at most. Compat: aiohttp's CookieJar,
    to which ``public_suffixes`` is an addition.
    """

    _most_sent: tuple[float, float] = _MOST_SENT
    _most_per_domain: float = DOMAIN_LIMIT

    def __init__(
        self,
        *,
        unsafe: bool = False,
        quote_cookie: bool = True,
        treat_as_secure_origin: str | URL | Iterable[str | URL] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        public_suffixes: PublicSuffixes | None = None,
    ) -> None:
        super().__init__(loop=loop)
        self._unsafe = unsafe
        self._quote_cookie = quote_cookie
        self._secure_origins = _origins(treat_as_secure_origin)
        self._is_public_suffix = _suffix_test(public_suffixes)
        self._store = CookieStore(self._most_per_domain)

    @property
    @override
    def unsafe(self) -> bool:
        return self._unsafe

    @property
    @override
    def quote_cookie(self) -> bool:
        return self._quote_cookie

    @property
    @override
    def treat_as_secure_origin(self) -> frozenset[URL]:
        return self._secure_origins

    @property
    @override
    def cookies(self) -> Mapping[tuple[str, str], SimpleCookie]:
        from http.cookies import SimpleCookie

        view: dict[tuple[str, str], SimpleCookie] = {}
        for (domain, path, name), kept in self._store.entries():
            view.setdefault((domain, path), SimpleCookie())[name] = kept.cookie
        return MappingProxyType(view)

    @property
    @override
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        return frozenset(
            key for key, kept in self._store.entries() if kept.place.is_host_only
        )

    @override
    def __len__(self) -> int:
        return len(self._store)

    @override
    def __iter__(self) -> Iterator[Morsel[str]]:
        self._store.expire()
        for _, kept in self._store.entries():
            yield kept.cookie

    @override
    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        if predicate is None:
            self._store.clear()
        else:
            now = time.time()
            self._store.remove_if(
                lambda kept: kept.is_over(now) or predicate(kept.cookie)
            )

    @override
    def clear_domain(self, domain: str) -> None:
        self.clear(lambda cookie: domain_matches(domain, cookie["domain"]))

    # --- storing --------------------------------------------------------------------

    @override
    def update_cookies(
        self,
        cookies: LooseCookies,
        response_url: URL = URL(),  # noqa: B008  # immutable
    ) -> None:
        """Store cookies, as if the URL had set them; without one, for every host.

        Raises:
            http.cookies.CookieError: A name is not one.
            ValueError: A value has a control character.
        """
        from windtunnel._policy.morsels import from_caller

        host = response_url.raw_host or ""
        if not self._unsafe and is_address(host):
            return
        now = time.time()
        is_secure = not host or self._is_secure(response_url)
        for cookie in from_caller(cookies):
            self._take(cookie, host, response_url, is_secure, now)

    def _take(
        self, cookie: Morsel[str], host: str, url: URL, is_secure: bool, now: float
    ) -> None:
        """Store one cookie, unless its URL must not set it.

        Spec: RFC 6265bis section 5.7, steps 8 to 21.
        """
        path = cookie["path"]
        where = place(cookie["domain"], path, host, url.path, self._is_public_suffix)
        if where is None or breaks_prefix(
            cookie.key,
            is_secure=bool(cookie["secure"]),
            place=where,
            has_path=path.startswith("/"),
        ):
            return
        # What an attacker on the way could have written neither makes nor hides a
        # cookie that is for secure connections only.
        if not is_secure and (
            cookie["secure"] or self._store.has_secure(cookie.key, where)
        ):
            return
        cookie["domain"], cookie["path"] = where.domain, where.path
        ends = expiry(str(cookie["max-age"]), str(cookie["expires"]), now)
        self._store.keep(Kept(cookie, where, ends), now)

    # --- sending --------------------------------------------------------------------

    def _is_secure(self, url: URL) -> bool:
        if url.scheme in _SECURE_SCHEMES:
            return True
        origin = origin_of(url)
        return any(origin == origin_of(each) for each in self._secure_origins)

    @override
    def filter_cookies(self, request_url: URL = URL()) -> BaseCookie[str]:  # noqa: B008  # immutable
        """Give the cookies that a request for the URL has to carry.

        Returns:
            Names and values without attributes, the longest path first, then the oldest
            (RFC 6265 section 5.4). Of several cookies of one name that of the longest
            domain, then of the longest path; 150 cookies and 8190 bytes at most.
        """
        from windtunnel._policy.morsels import to_send

        chosen: dict[str, Kept] = {}
        for kept in sorted(self._matching(request_url), key=_closeness):
            chosen[kept.cookie.key] = kept
        self._store.use(chosen.values())
        max_cookies, max_bytes = self._most_sent
        size = 0
        sent: list[tuple[Kept, Morsel[str]]] = []
        for kept in sorted(chosen.values(), key=_closeness, reverse=True):
            each = to_send(kept.cookie, quotes=self._quote_cookie)
            size += len(each.key) + len(each.coded_value.encode()) + 3
            if len(sent) == max_cookies or size > max_bytes + 2:
                break
            sent.append((kept, each))
        sent.sort(key=lambda pair: (-len(pair[0].place.path), pair[0].created))
        cookies = self._empty()
        for _, each in sent:
            cookies[each.key] = each
        return cookies

    def _empty(self) -> BaseCookie[str]:
        from http.cookies import BaseCookie, SimpleCookie

        return SimpleCookie() if self._quote_cookie else BaseCookie()

    def _matching(self, url: URL) -> Iterator[Kept]:
        if not self._store:
            return
        self._store.expire()
        host = url.raw_host or ""
        is_secure = self._is_secure(url) if host else url.scheme in _SECURE_SCHEMES
        for domain in self._domains_of(host):
            for kept in self._store.of_domain(domain):
                if kept.place.is_host_only and host != domain:
                    continue
                if kept.cookie["secure"] and not is_secure:
                    continue
                if domain and not _is_below(url, kept.place.path):
                    continue
                yield kept

    def _domains_of(self, host: str) -> Iterator[str]:
        """Give the domains whose cookies a host may get."""
        yield ""
        if is_address(host):
            if self._unsafe:
                yield host
            return
        while host:
            yield host
            host = host.partition(".")[2]

    # --- files ----------------------------------------------------------------------

    def save(self, file_path: str | os.PathLike[str]) -> None:
        """Write the cookies to a file that only its owner can read.

        Cookies without an end are written as well. The file is replaced at once: who
        reads it meanwhile gets the old or the new cookies.

        Compat: the JSON format of aiohttp.
        """
        from windtunnel._session.cookie_file import Record, write

        self._store.expire()
        write(
            file_path,
            [
                Record(domain, path, kept.cookie, kept.ends, kept.place.is_host_only)
                for (domain, path, _), kept in self._store.entries()
            ],
        )

    def load(self, file_path: str | os.PathLike[str]) -> None:
        """Replace the cookies by those of a file that ``save`` wrote.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not such a file; the jar is as before.
        """
        from windtunnel._policy.cookie_rules import Place
        from windtunnel._session.cookie_file import read

        now = time.time()
        records = read(file_path)
        self.clear()
        for record in records:
            cookie = record.cookie
            where = Place(record.domain, cookie["path"] or "/", record.is_host_only)
            ends = record.ends
            if ends is None:
                ends = expiry(str(cookie["max-age"]), str(cookie["expires"]), now)
            self._store.keep(Kept(cookie, where, ends), now)


class CallCookies(CookieJar):
    """The cookies of one call: all of them are sent, however many."""

    _most_sent = (inf, inf)
    _most_per_domain = inf


class DummyCookieJar(AbstractCookieJar):
    """Keeps nothing: for a session that is not to send cookies.

    Args:
        loop: Ignored.
    """

    @property
    @override
    def unsafe(self) -> bool:
        return False

    @property
    @override
    def quote_cookie(self) -> bool:
        return True

    @property
    @override
    def cookies(self) -> Mapping[tuple[str, str], SimpleCookie]:
        return MappingProxyType({})

    @property
    @override
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        return frozenset()

    @override
    def __len__(self) -> int:
        return 0

    @override
    def __iter__(self) -> Iterator[Morsel[str]]:
        return iter(())

    @override
    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        """Do nothing."""

    @override
    def clear_domain(self, domain: str) -> None:
        """Do nothing."""

    @override
    def update_cookies(
        self,
        cookies: LooseCookies,
        response_url: URL = URL(),  # noqa: B008  # immutable
    ) -> None:
        """Do nothing."""

    @override
    def filter_cookies(self, request_url: URL) -> BaseCookie[str]:
        """Give no cookies."""
        from http.cookies import SimpleCookie

        return SimpleCookie()


def _is_below(url: URL, path: str) -> bool:
    # Servers write the path of a cookie with and without percent-encoding.
    return path_matches(path, url.path) or path_matches(path, url.raw_path)


def _closeness(kept: Kept) -> tuple[int, int]:
    return len(kept.place.domain), len(kept.place.path)


def _origins(given: str | URL | Iterable[str | URL] | None) -> frozenset[URL]:
    if given is None:
        return frozenset()
    if isinstance(given, (str, URL)):
        given = [given]
    try:
        return frozenset(URL(each).origin() for each in given)
    except (TypeError, ValueError) as exc:
        msg = f"treat_as_secure_origin={shown(given)} has what is no origin: {exc}"
        raise type(exc)(msg) from exc


def _suffix_test(given: PublicSuffixes | None) -> Callable[[str], bool] | None:
    if given is None or callable(given):
        return given
    if hasattr(given, "__contains__"):
        return given.__contains__
    msg = (
        f"public_suffixes={shown(given)} of type {type(given).__name__} is no function "
        f"that takes a domain, and nothing that can be asked with 'in'"
    )
    raise TypeError(msg)
