"""The memory of a jar: identity, age, ends, and who has to go when it is full."""

from __future__ import annotations

import pytest

from windtunnel._policy.cookie_rules import Place
from windtunnel._policy.morsels import morsel
from windtunnel._session.cookie_store import DOMAIN_LIMIT, CookieStore, Kept

# No cookie of these tests ends while they run, but those that say so.
NOW = 100.0
FAR = 10.0**11


def kept(
    name: str,
    domain: str = "h.test",
    path: str = "/",
    *,
    value: str = "",
    ends: float | None = None,
    is_secure: bool = False,
) -> Kept:
    cookie = morsel(name, value, value, {"secure": True} if is_secure else {})
    return Kept(cookie, Place(domain, path, False), ends)


def store_of(*several: Kept, limit: float = DOMAIN_LIMIT) -> CookieStore:
    store = CookieStore(limit)
    for each in several:
        store.keep(each, NOW)
    return store


def names(store: CookieStore) -> list[str]:
    return [name for (_, _, name), _ in store.entries()]


def test_cookies_are_the_same_if_domain_path_and_name_are() -> None:
    store = store_of(
        kept("a", value="1"),
        kept("b"),
        kept("a", "i.test"),
        kept("a", path="/x"),
        kept("a", path="/x/"),
        kept("a", value="2"),
    )
    assert len(store) == 4
    first, second, third = store.of_domain("h.test")
    assert (first.cookie.value, second.cookie.key, third.place.path) == (
        "2",
        "b",
        "/x/",
    )
    assert first.created < second.created < first.used
    assert list(store.of_domain("test")) == []


def test_a_cookie_that_has_ended_removes_the_one_it_replaces() -> None:
    store = store_of(kept("a"), kept("b"))
    store.keep(kept("a", ends=NOW), NOW)
    store.keep(kept("c", ends=NOW), NOW)
    assert names(store) == ["b"]
    store.keep(kept("b", ends=NOW - 1), NOW)
    assert (len(store), names(store), list(store.of_domain("h.test"))) == (0, [], [])


def test_ended_cookies_are_forgotten_and_others_are_not() -> None:
    store = store_of(kept("a", ends=NOW + 1), kept("b", ends=FAR), kept("c"))
    # The clock of this process is far beyond the first end.
    store.expire()
    assert names(store) == ["b", "c"]
    store.expire()
    assert len(store) == 2
    store.clear()
    assert len(store) == 0


def test_the_least_recently_used_go_first_and_secure_ones_last() -> None:
    some = [kept(f"c{n}", is_secure=n < 60) for n in range(DOMAIN_LIMIT)]
    store = store_of(*some)
    store.use(some[60:70])
    store.keep(kept("new"), NOW)
    assert len(store) == 150
    assert names(store) == [
        *[f"c{n}" for n in range(70)],
        *[f"c{n}" for n in range(101, DOMAIN_LIMIT)],
        "new",
    ]


@pytest.mark.parametrize(
    ("new", "is_taken"),
    [
        pytest.param(kept("new"), False, id="plain"),
        pytest.param(kept("new", is_secure=True), True, id="secure"),
        pytest.param(kept("c0"), True, id="replacing"),
    ],
)
def test_a_domain_full_of_secure_cookies_takes_no_plain_one(
    new: Kept, is_taken: bool
) -> None:
    store = store_of(*[kept(f"c{n}", is_secure=True) for n in range(DOMAIN_LIMIT)])
    store.keep(new, NOW)
    assert any(each is new for _, each in store.entries()) is is_taken


def test_room_is_made_by_what_has_ended_before_a_cookie_is_turned_away() -> None:
    full = [kept(f"c{n}", is_secure=True, ends=FAR) for n in range(DOMAIN_LIMIT - 1)]
    store = store_of(*full, kept("old", is_secure=True, ends=NOW + 1))
    store.keep(kept("new"), NOW)
    assert len(store) == DOMAIN_LIMIT
    assert "new" in names(store)


def test_all_domains_together_have_a_limit() -> None:
    store = store_of(*[kept(f"c{n}", f"h{n % 33}.test") for n in range(3301)])
    assert len(store) == 3000
    assert names(store)[0] == "c330"


def test_there_may_be_no_limit_for_a_domain() -> None:
    store = store_of(*[kept(f"c{n}") for n in range(500)], limit=float("inf"))
    assert len(store) == 500


@pytest.mark.parametrize(
    ("name", "place", "expected"),
    [
        ("a", Place("h.test", "/x", True), True),
        ("a", Place("h.test", "/x/y", True), True),
        ("a", Place("b.h.test", "/x", True), True),
        ("a", Place("test", "/x", False), True),
        ("a", Place("h.test", "/", True), False),
        ("a", Place("i.test", "/x", True), False),
        ("b", Place("h.test", "/x", True), False),
        ("c", Place("h.test", "/x", True), False),
    ],
)
def test_a_secure_cookie_is_hidden_by_one_of_its_name_at_its_place_or_below(
    name: str, place: Place, expected: bool
) -> None:
    store = store_of(
        kept("a", path="/x", is_secure=True),
        kept("b", path="/x"),
        kept("c", path="/x", is_secure=True, ends=NOW + 1),
    )
    assert store.has_secure(name, place) is expected
