"""The cookies of a session: what is kept, for how long, and which request gets them.

Morsels and URLs come in and go out. What a cookie means is decided in
``_policy.cookie_rules``; this is the memory, with its limits. ``http.cookies`` is
imported when the first cookie comes.
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
from windtunnel.abc import AbstractCookieJar

if TYPE_CHECKING:
    import asyncio
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from http.cookies import BaseCookie, Morsel, SimpleCookie

    from windtunnel._policy.cookie_rules import Place
    from windtunnel.abc import ClearCookiePredicate, LooseCookies

# The limits of Firefox: how many may be there, and how many are left when more come.
_DOMAIN_LIMIT, _DOMAIN_KEPT = 180, 150
_TOTAL_LIMIT, _TOTAL_KEPT = 3300, 3000
# How many cookies, in how many bytes, a request carries at most.
_MOST_SENT = (150, 8190)
_SECURE_SCHEMES = ("https", "wss")


class _Kept:
    """One cookie in the jar.

    Attributes:
        cookie: As the server set it, with its domain and path filled in.
        place: Where it belongs.
        ends: When it ends, in seconds since 1970, None if it does not.
        used: Number of the last use; smaller is longer ago.
    """

    __slots__ = ("cookie", "ends", "place", "used")

    def __init__(
        self, cookie: Morsel[str], place: Place, ends: float | None, used: int
    ) -> None:
        self.cookie = cookie
        self.place = place
        self.ends = ends
        self.used = used


class CookieJar(AbstractCookieJar):
    """Keeps the cookies that servers set, and gives each request its own.

    Args:
        unsafe: Take cookies from hosts that are IP addresses, too.
        quote_cookie: Quote values in requests by the rules of ``http.cookies``.
        treat_as_secure_origin: Origins, one or several, that get Secure cookies
            although their scheme is not https.
        loop: Ignored.
        public_suffix: Says of a domain whether anybody can have names in it, such as
            ``co.uk``; a server cannot set a cookie for such a domain then. Without it
            none is known.

    Spec: RFC 6265 section 5. Compat: aiohttp's CookieJar, to which ``public_suffix`` is
    an addition.
    """

    _most_sent: tuple[float, float] = _MOST_SENT
    _most_per_domain: float = _DOMAIN_LIMIT

    def __init__(
        self,
        *,
        unsafe: bool = False,
        quote_cookie: bool = True,
        treat_as_secure_origin: str | URL | Iterable[str | URL] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        public_suffix: Callable[[str], bool] | None = None,
    ) -> None:
        super().__init__(loop=loop)
        self._unsafe = unsafe
        self._quote_cookie = quote_cookie
        self._secure_origins = _origins(treat_as_secure_origin)
        self._public_suffix = public_suffix
        # By domain, then by path without its last slash and name.
        self._domains: dict[str, dict[tuple[str, str], _Kept]] = {}
        self._count = 0
        self._uses = 0
        # When the first of them ends; never later than it does.
        self._next_end = inf

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
        for (domain, path, name), kept in self._items():
            view.setdefault((domain, path), SimpleCookie())[name] = kept.cookie
        return MappingProxyType(view)

    @property
    @override
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        return frozenset(key for key, kept in self._items() if kept.place.is_host_only)

    @override
    def __len__(self) -> int:
        return self._count

    @override
    def __iter__(self) -> Iterator[Morsel[str]]:
        self._expire()
        for _, kept in self._items():
            yield kept.cookie

    def _items(self) -> Iterator[tuple[tuple[str, str, str], _Kept]]:
        for domain, group in self._domains.items():
            for (path, name), kept in group.items():
                yield (domain, path, name), kept

    # --- removing -------------------------------------------------------------------

    @override
    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        if predicate is None:
            self._domains.clear()
            self._count = 0
        else:
            now = time.time()
            self._remove_if(lambda kept: _is_over(kept, now) or predicate(kept.cookie))

    @override
    def clear_domain(self, domain: str) -> None:
        self.clear(lambda cookie: domain_matches(domain, cookie["domain"]))

    def _expire(self) -> None:
        now = time.time()
        if now >= self._next_end:
            self._remove_if(lambda kept: _is_over(kept, now))
            ends = [kept.ends for _, kept in self._items() if kept.ends is not None]
            self._next_end = min(ends, default=inf)

    def _remove_if(self, condition: Callable[[_Kept], bool]) -> None:
        doomed = [key for key, kept in self._items() if condition(kept)]
        for domain, path, name in doomed:
            self._remove(domain, (path, name))

    def _remove(self, domain: str, key: tuple[str, str]) -> None:
        group = self._domains[domain]
        del group[key]
        self._count -= 1
        if not group:
            del self._domains[domain]

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
        for cookie in from_caller(cookies):
            self._store(cookie, host, response_url, now)

    def _store(self, cookie: Morsel[str], host: str, url: URL, now: float) -> None:
        path = cookie["path"]
        where = place(cookie["domain"], path, host, url.path, self._public_suffix)
        if where is None:
            return
        is_secure = bool(cookie["secure"]) and (not host or self._is_secure(url))
        has_path = path.startswith("/")
        if breaks_prefix(
            cookie.key, is_secure=is_secure, place=where, has_path=has_path
        ):
            return
        cookie["domain"], cookie["path"] = where.domain, where.path
        ends = expiry(str(cookie["max-age"]), str(cookie["expires"]), now)
        self._keep(_Kept(cookie, where, ends, 0), now)

    def _keep(self, new: _Kept, now: float) -> None:
        """Put a cookie in, in place of one of the same identity."""
        domain = new.place.domain
        key = (new.place.path.rstrip("/"), new.cookie.key)
        group = self._domains.get(domain, {})
        if key in group:
            self._remove(domain, key)
            group = self._domains.get(domain, {})
        if _is_over(new, now):
            return
        if len(group) >= self._most_per_domain and not new.cookie["secure"]:
            self._expire()
            group = self._domains.get(domain, {})
            is_guarded = all(kept.cookie["secure"] for kept in group.values())
            if len(group) >= self._most_per_domain and is_guarded:
                return
        self._uses += 1
        new.used = self._uses
        self._domains.setdefault(domain, {})[key] = new
        self._count += 1
        if new.ends is not None:
            self._next_end = min(self._next_end, new.ends)
        self._shrink(domain)

    def _shrink(self, domain: str) -> None:
        """Make room after one cookie too many, in its domain or in all."""
        if len(self._domains[domain]) > self._most_per_domain:
            items = [item for item in self._items() if item[0][0] == domain]
            self._evict(items, _DOMAIN_KEPT)
        if self._count > _TOTAL_LIMIT:
            self._expire()
            self._evict(list(self._items()), _TOTAL_KEPT)

    def _evict(
        self, items: list[tuple[tuple[str, str, str], _Kept]], keep: int
    ) -> None:
        items.sort(key=lambda item: (bool(item[1].cookie["secure"]), item[1].used))
        for (domain, path, name), _ in items[: max(len(items) - keep, 0)]:
            self._remove(domain, (path, name))

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
            Names and values without attributes: of several cookies of one name that of
            the longest domain, then of the longest path; 150 cookies and 8190 bytes at
            most.
        """
        from windtunnel._policy.morsels import to_send

        chosen: dict[str, _Kept] = {}
        for kept in sorted(self._matching(request_url), key=_closeness):
            kept.used = self._uses
            chosen[kept.cookie.key] = kept
        sent = self._empty()
        max_cookies, max_bytes = self._most_sent
        size = 0
        for kept in sorted(chosen.values(), key=_closeness, reverse=True):
            each = to_send(kept.cookie, quotes=self._quote_cookie)
            size += len(each.key) + len(each.coded_value.encode()) + 3
            if len(sent) == max_cookies or size > max_bytes + 2:
                break
            sent[each.key] = each
        return sent

    def _empty(self) -> BaseCookie[str]:
        from http.cookies import BaseCookie, SimpleCookie

        return SimpleCookie() if self._quote_cookie else BaseCookie()

    def _matching(self, url: URL) -> Iterator[_Kept]:
        if not self._count:
            return
        self._expire()
        self._uses += 1
        host = url.raw_host or ""
        is_secure = self._is_secure(url) if host else url.scheme in _SECURE_SCHEMES
        for domain in self._domains_of(host):
            for kept in self._domains.get(domain, {}).values():
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

        self._expire()
        write(
            file_path,
            [
                Record(domain, path, kept.cookie, kept.ends, kept.place.is_host_only)
                for (domain, path, _), kept in self._items()
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
            self._keep(_Kept(cookie, where, ends, 0), now)


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


def _is_over(kept: _Kept, now: float) -> bool:
    return kept.ends is not None and kept.ends <= now


def _is_below(url: URL, path: str) -> bool:
    # Servers write the path of a cookie with and without percent-encoding.
    return path_matches(path, url.path) or path_matches(path, url.raw_path)


def _closeness(kept: _Kept) -> tuple[int, int]:
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
