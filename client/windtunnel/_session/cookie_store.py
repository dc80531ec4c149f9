"""The memory of a cookie jar: what is in it, for how long, and what has to go.

Cookies with their places come in; they come out until they end, or until there is no
room for them. Which URL may set or get one is the jar's decision.
"""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Final

from windtunnel._policy.cookie_rules import domain_matches, path_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from http.cookies import Morsel

    from windtunnel._policy.cookie_rules import Place

# The limits of Firefox: how many may be there, and how many are left when more come.
DOMAIN_LIMIT: Final = 180
_DOMAIN_KEPT: Final = 150
_TOTAL_LIMIT, _TOTAL_KEPT = 3300, 3000


class Kept:
    """One cookie in the memory.

    Attributes:
        cookie: As the server set it, with its domain and path filled in.
        place: Where it belongs.
        ends: When it ends, in seconds since 1970, None if it does not.
        created: Number of the first cookie of its identity; smaller is older.
        used: Number of the last use; smaller is longer ago.
    """

    __slots__ = ("cookie", "created", "ends", "place", "used")

    def __init__(self, cookie: Morsel[str], place: Place, ends: float | None) -> None:
        self.cookie = cookie
        self.place = place
        self.ends = ends
        self.created = 0
        self.used = 0

    def is_over(self, now: float) -> bool:
        """Say whether it has ended."""
        return self.ends is not None and self.ends <= now


class CookieStore:
    """Keeps cookies by domain, then by path without its last slash and name.

    Args:
        most_per_domain: How many a domain may have.

    Compat: aiohttp's limits, and its identity: ``/x`` and ``/x/`` are one path.
    """

    __slots__ = ("_clock", "_count", "_domains", "_most_per_domain", "_next_end")

    def __init__(self, most_per_domain: float) -> None:
        self._most_per_domain = most_per_domain
        self._domains: dict[str, dict[tuple[str, str], Kept]] = {}
        self._count = 0
        # Counts what is created and used.
        self._clock = 0
        # When the first of them ends; never later than it does.
        self._next_end = inf

    def __len__(self) -> int:
        return self._count

    def entries(self) -> Iterator[tuple[tuple[str, str, str], Kept]]:
        """Give domain, path and name of each cookie, and the cookie."""
        for domain, group in self._domains.items():
            for (path, name), kept in group.items():
                yield (domain, path, name), kept

    def of_domain(self, domain: str) -> Iterable[Kept]:
        """Give the cookies of exactly this domain, the oldest first."""
        return self._domains.get(domain, {}).values()

    def has_secure(self, name: str, place: Place) -> bool:
        """Say whether a Secure cookie of that name would be hidden by one of ``place``.

        Spec: RFC 6265bis section 5.7, step 16.
        """
        self.expire()
        return any(
            kept.cookie.key == name
            and kept.cookie["secure"]
            and path_matches(kept.place.path, place.path)
            for domain in self._domains
            if domain_matches(domain, place.domain)
            or domain_matches(place.domain, domain)
            for kept in self.of_domain(domain)
        )

    def use(self, several: Iterable[Kept]) -> None:
        """Remember that these cookies were used now, all at once."""
        self._clock += 1
        for kept in several:
            kept.used = self._clock

    # --- removing -------------------------------------------------------------------

    def clear(self) -> None:
        """Forget everything."""
        self._domains.clear()
        self._count = 0
        self._next_end = inf

    def expire(self) -> None:
        """Forget what has ended."""
        now = time.time()
        if now >= self._next_end:
            self.remove_if(lambda kept: kept.is_over(now))
            ends = [kept.ends for _, kept in self.entries() if kept.ends is not None]
            self._next_end = min(ends, default=inf)

    def remove_if(self, condition: Callable[[Kept], bool]) -> None:
        """Forget the cookies for which the condition holds."""
        doomed = [key for key, kept in self.entries() if condition(kept)]
        for domain, path, name in doomed:
            self._remove(domain, (path, name))

    def _remove(self, domain: str, key: tuple[str, str]) -> None:
        group = self._domains[domain]
        del group[key]
        self._count -= 1
        if not group:
            del self._domains[domain]

    # --- adding ---------------------------------------------------------------------

    def keep(self, new: Kept, now: float) -> None:
        """Put a cookie in, in place of one of the same identity.

        One that has ended only removes that. One that is not Secure gets no room in a
        domain that is full of Secure ones.

        Spec: RFC 6265 section 5.3, steps 11 and 12: the time of creation stays.
        """
        domain = new.place.domain
        key = (new.place.path.rstrip("/"), new.cookie.key)
        old = self._domains.get(domain, {}).get(key)
        if new.is_over(now):
            if old is not None:
                self._remove(domain, key)
            return
        if old is None and not new.cookie["secure"] and self._is_barred(domain):
            return
        self._clock += 1
        new.used = self._clock
        new.created = self._clock if old is None else old.created
        self._domains.setdefault(domain, {})[key] = new
        if new.ends is not None:
            self._next_end = min(self._next_end, new.ends)
        if old is None:
            self._count += 1
            self._shrink(domain)

    def _is_barred(self, domain: str) -> bool:
        """Say whether a domain is full of Secure cookies."""
        if len(self._domains.get(domain, {})) < self._most_per_domain:
            return False
        self.expire()
        group = self._domains.get(domain, {})
        return len(group) >= self._most_per_domain and all(
            kept.cookie["secure"] for kept in group.values()
        )

    def _shrink(self, domain: str) -> None:
        """Make room after one cookie too many, in its domain or in all."""
        if len(self._domains[domain]) > self._most_per_domain:
            items = [item for item in self.entries() if item[0][0] == domain]
            self._evict(items, _DOMAIN_KEPT)
        if self._count > _TOTAL_LIMIT:
            self.expire()
            self._evict(list(self.entries()), _TOTAL_KEPT)

    def _evict(self, items: list[tuple[tuple[str, str, str], Kept]], keep: int) -> None:
        items.sort(key=lambda item: (bool(item[1].cookie["secure"]), item[1].used))
        for (domain, path, name), _ in items[: max(len(items) - keep, 0)]:
            self._remove(domain, (path, name))
