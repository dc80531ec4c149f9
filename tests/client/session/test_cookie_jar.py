"""The jar: what it keeps, for how long, and who gets it; beside aiohttp's."""

from __future__ import annotations

import json
import os
import stat
from http.cookies import Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

import windtunnel
from windtunnel._base.compat import override
from windtunnel.abc import AbstractCookieJar
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HERE = URL("http://a.h.test/x/y")
LATER = "expires=Wed, 21 Oct 2099 07:28:00 GMT"


def filled(
    fields: Iterable[str], url: URL = HERE, **options: Any
) -> windtunnel.CookieJar:
    jar = windtunnel.CookieJar(**options)
    jar.update_cookies_from_headers(list(fields), url)
    return jar


def sent(jar: Any, url: str | URL) -> str:
    cookies = jar.filter_cookies(URL(url))
    return "; ".join(f"{name}={cookies[name].coded_value}" for name in sorted(cookies))


def facts(jar: Any) -> tuple[list[Any], list[Any]]:
    kept = [
        (*key, name, each.value, each.coded_value, each["domain"], each["path"])
        for key, group in jar.cookies.items()
        for name, each in group.items()
    ]
    return sorted(kept), sorted(jar.host_only_cookies)


# --- storing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("a=; expires=Thu, 01 Jan 1970 00:00:00 GMT", id="epoch"),
        pytest.param("a=; expires=Wed, 21-Oct-99 07:28:00 GMT", id="two-digits"),
        pytest.param("a=; max-age=-1", id="max-age"),
    ],
)
def test_a_cookie_is_removed_by_one_that_has_ended(field: str) -> None:
    jar = filled(["a=1; path=/"])
    jar.update_cookies_from_headers([field + "; path=/"], HERE)
    assert len(jar) == 0
    assert list(jar) == []


def test_a_domain_is_compared_without_case() -> None:
    jar = filled(["a=1; domain=H.Test; path=/"])
    assert sent(jar, "http://b.h.test/") == "a=1"


def test_a_newer_cookie_inherits_nothing() -> None:
    jar = filled([f"a=1; path=/; {LATER}", "a=2; path=/; domain=a.h.test"])
    assert jar.host_only_cookies == frozenset()
    (kept,) = jar
    assert kept.value == "2"
    assert kept["expires"] == ""


def test_an_encoded_path_matches_the_url() -> None:
    jar = filled(["a=1; path=/p%20q", "b=1; path=/p q"])
    assert sent(jar, "http://a.h.test/p%20q/r") == "a=1; b=1"


@pytest.mark.parametrize(
    "suffixes",
    [
        pytest.param("test".__eq__, id="function"),
        pytest.param({"test", "co.uk"}, id="set"),
        pytest.param({"test": "a"}, id="mapping"),
    ],
)
def test_a_public_suffix_gets_no_cookie(suffixes: Any) -> None:
    fields = ["a=1; domain=h.test; path=/", "b=1; domain=.Test; path=/"]
    assert sent(filled(fields), "http://z.test/") == "b=1"
    jar = filled(fields, public_suffixes=suffixes)
    assert sent(jar, "http://z.test/") == ""
    assert sent(jar, "http://z.h.test/") == "a=1"


def test_a_public_suffix_may_set_a_cookie_for_itself_alone() -> None:
    fields = ["a=1; domain=test; path=/"]
    jar = filled(fields, URL("http://test/"), public_suffixes=["test"])
    assert sent(jar, "http://test/") == "a=1"
    assert sent(jar, "http://h.test/") == ""


def test_public_suffixes_that_cannot_be_asked_are_refused() -> None:
    suffixes: Any = 5
    with pytest.raises(TypeError, match="public_suffixes=5 of type int is no function"):
        windtunnel.CookieJar(public_suffixes=suffixes)


HTTPS = HERE.with_scheme("https")


def test_a_secure_cookie_is_not_taken_from_http() -> None:
    assert len(filled(["a=1; secure"])) == 0
    assert len(filled(["a=1; secure"], HTTPS)) == 1
    assert len(filled(["a=1; secure"], HERE.with_scheme("wss"))) == 1
    assert len(filled(["a=1; secure"], treat_as_secure_origin=HERE)) == 1


@pytest.mark.parametrize(
    ("there", "comes", "is_kept"),
    [
        pytest.param("path=/x", "path=/x", False, id="same-place"),
        pytest.param("path=/x", "path=/x/y", False, id="deeper-path"),
        pytest.param("path=/x", "path=/", True, id="path-above"),
        pytest.param("domain=h.test; path=/", "path=/", False, id="sub-domain"),
        pytest.param("path=/", "domain=h.test; path=/", False, id="domain-above"),
        pytest.param("path=/", "path=/; max-age=0", False, id="removal"),
    ],
)
def test_what_comes_over_http_neither_replaces_nor_hides_a_secure_cookie(
    there: str, comes: str, is_kept: bool
) -> None:
    jar = filled([f"a=1; secure; {there}"], HTTPS)
    jar.update_cookies_from_headers([f"a=2; {comes}", "b=3; path=/"], HERE)
    assert sorted(each.value for each in jar) == ["1", *["2"] * is_kept, "3"]
    jar.update_cookies_from_headers([f"a=4; {comes}"], HTTPS)
    assert "2" not in [each.value for each in jar]


def test_a_secure_cookie_that_has_ended_stands_in_nobodys_way() -> None:
    async def main(tunnel: Tunnel) -> None:
        jar = filled(["a=1; secure; path=/; max-age=5"], HTTPS)
        await tunnel.clock.advance(5)
        jar.update_cookies_from_headers(["a=2; path=/"], HERE)
        assert [each.value for each in jar] == ["2"]

    Tunnel().run(main)


def test_a_cookie_lives_400_days_at_most() -> None:
    async def main(tunnel: Tunnel) -> None:
        jar = filled([f"a=1; {LATER}", "b=1; max-age=99999999"])
        await tunnel.clock.advance(400 * 86400 - 1)
        assert sent(jar, HERE) == "a=1; b=1"
        await tunnel.clock.advance(1)
        assert sent(jar, HERE) == ""

    Tunnel().run(main)


@pytest.mark.parametrize("samesite", ["Strict", "lax", "NONE", "other"])
def test_samesite_is_kept_as_it_was_spelled(samesite: str) -> None:
    (kept,) = filled([f"a=1; SameSite={samesite}; path=/"])
    assert kept["samesite"] == samesite


def test_a_cookie_that_is_replaced_keeps_its_age() -> None:
    jar = filled(["a=1; path=/", "b=2; path=/", "a=3; path=/; secure"], HTTPS)
    assert list(jar.filter_cookies(HTTPS)) == ["a", "b"]


@pytest.mark.parametrize(
    ("field", "scheme", "is_kept"),
    [
        ("__Secure-a=1; Secure", "https", True),
        ("__Secure-a=1; Secure", "http", False),
        ("__Host-a=1; Secure; Path=/", "https", True),
        ("__Host-a=1; Secure", "https", False),
    ],
)
def test_a_prefix_has_to_be_kept(field: str, scheme: str, is_kept: bool) -> None:
    jar = filled([field], HERE.with_scheme(scheme))
    assert len(jar) == is_kept


def test_cookies_without_a_url_go_to_every_host() -> None:
    jar = windtunnel.CookieJar()
    mine: Morsel[str] = Morsel()
    mine.set("b", "2", "2")
    mine["secure"] = True
    jar.update_cookies([("a", "1"), ("b", mine)])
    assert sent(jar, "http://any.test/x") == "a=1"
    assert sent(jar, "https://any.test/x") == "a=1; b=2"
    assert sent(jar, URL()) == "a=1"
    assert mine["domain"] == ""


def test_an_origin_may_be_treated_as_secure() -> None:
    jar = filled(["a=1; secure; path=/"], treat_as_secure_origin="http://a.h.test:80")
    assert sent(jar, "http://a.h.test/") == "a=1"
    assert jar.treat_as_secure_origin == {URL("http://a.h.test:80")}
    jar = filled(["a=1; secure"], treat_as_secure_origin=[URL("http://b.test")])
    assert sent(jar, "http://a.h.test/x/") == ""


@pytest.mark.parametrize("origin", ["nowhere", 5, [5]])
def test_what_is_treated_as_secure_has_to_be_an_origin(origin: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="treat_as_secure_origin"):
        windtunnel.CookieJar(treat_as_secure_origin=origin)


# --- time ---------------------------------------------------------------------------


def test_a_cookie_ends_at_its_second() -> None:
    async def main(tunnel: Tunnel) -> None:
        jar = filled(
            ["a=1; max-age=10; path=/", "b=2; max-age=20; path=/", "c=3; path=/"]
        )
        await tunnel.clock.advance(9.5)
        assert sent(jar, HERE) == "a=1; b=2; c=3"
        await tunnel.clock.advance(0.5)
        assert sent(jar, HERE) == "b=2; c=3"
        assert len(jar) == 2
        await tunnel.clock.advance(10)
        assert [each.key for each in jar] == ["c"]

    Tunnel().run(main)


# --- removing -----------------------------------------------------------------------


def test_cookies_are_removed() -> None:
    fields = ["a=1; domain=h.test", "b=2", "c=3; domain=a.h.test"]
    jar = filled(fields)
    jar.clear(lambda cookie: cookie.key == "a")
    assert sorted(each.key for each in jar) == ["b", "c"]
    jar.clear()
    assert len(jar) == 0
    jar = filled([*fields, "d=4; domain=h.test"])
    jar.clear_domain("a.h.test")
    assert sorted(each.key for each in jar) == ["a", "d"]
    jar.clear_domain("h.test")
    assert len(jar) == 0


# --- limits -------------------------------------------------------------------------


def many(count: int, attributes: str = "", start: int = 0) -> list[str]:
    return [f"c{n:04}=1; path=/{attributes}" for n in range(start, start + count)]


def add(jar: windtunnel.CookieJar, fields: list[str], url: URL = HERE) -> None:
    for at in range(0, len(fields), 50):
        jar.update_cookies_from_headers(fields[at : at + 50], url)


def test_a_full_domain_loses_what_was_used_least_recently() -> None:
    jar = windtunnel.CookieJar()
    add(jar, many(180))
    assert len(jar) == 180
    add(jar, ["new=1; path=/"])
    assert len(jar) == 150
    keys = [each.key for each in jar]
    assert keys[0] == "c0031"
    assert keys[-1] == "new"


def test_what_is_not_secure_goes_first() -> None:
    jar = windtunnel.CookieJar()
    https = HERE.with_scheme("https")
    add(jar, many(170, "; secure"), https)
    add(jar, many(11, start=500), https)
    assert [each.key for each in jar] == [f"c{n:04}" for n in range(20, 170)]


def test_a_domain_full_of_secure_cookies_takes_no_other() -> None:
    jar = windtunnel.CookieJar()
    https = HERE.with_scheme("https")
    add(jar, many(180, "; secure"), https)
    add(jar, ["new=1; path=/"])
    assert len(jar) == 180
    add(jar, ["new=1; path=/; secure"], https)
    assert len(jar) == 150


def test_a_full_jar_is_cut_as_well() -> None:
    jar = windtunnel.CookieJar()
    for n in range(22):
        add(jar, many(150), URL(f"http://h{n}.test/"))
    assert len(jar) == 3300
    add(jar, ["new=1; path=/"])
    assert len(jar) == 3000
    assert "h0.test" not in {domain for domain, _ in jar.cookies}
    assert sent(jar, HERE) == "new=1"


def test_a_request_carries_150_cookies_the_closest_ones() -> None:
    jar = filled(["near=1; path=/x"])
    add(jar, many(170))
    cookies = jar.filter_cookies(HERE)
    assert len(cookies) == 150
    assert "near" in cookies


def test_a_request_carries_8190_bytes_of_cookies() -> None:
    jar = windtunnel.CookieJar()
    add(jar, [f"c{n:02}={'v' * 96}; path=/" for n in range(99)])
    line = sent(jar, HERE)
    assert 8190 - 102 < len(line) <= 8190


# --- files --------------------------------------------------------------------------


def test_a_file_keeps_everything_and_is_private(tmp_path: Path) -> None:
    async def main(tunnel: Tunnel) -> None:
        path = tmp_path / "jar"
        jar = filled(
            ["a=1; max-age=10; secure", 'b="x y"; domain=h.test; httponly'], HTTPS
        )
        jar.update_cookies({"c": "3"})
        jar.save(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.listdir(tmp_path) == ["jar"]
        again = filled(["z=1"])
        again.load(path)
        assert facts(again) == facts(jar)
        again.save(path)
        content = json.loads(path.read_text())
        assert content["a.h.test|/x"]["a"]["host_only"] is True
        ends = content["a.h.test|/x"]["a"]["expires_timestamp"]
        assert ends == tunnel.clock.wall() + 10

    Tunnel().run(main)


def test_an_end_is_kept_in_a_file(tmp_path: Path) -> None:
    async def main(tunnel: Tunnel) -> None:
        filled(["a=1; max-age=10", "b=1"]).save(tmp_path / "jar")
        await tunnel.clock.advance(10)
        jar = windtunnel.CookieJar()
        jar.load(tmp_path / "jar")
        assert [each.key for each in jar] == ["b"]

    Tunnel().run(main)


def test_an_old_file_without_ends_counts_from_when_it_is_loaded(tmp_path: Path) -> None:
    entry = {"key": "a", "value": "1", "coded_value": "1", "max-age": "10", "path": "/"}
    (tmp_path / "jar").write_text(json.dumps({"h.test|": {"a": entry}}))

    async def main(tunnel: Tunnel) -> None:
        jar = windtunnel.CookieJar()
        jar.load(tmp_path / "jar")
        assert sent(jar, HERE) == "a=1"
        await tunnel.clock.advance(10)
        assert sent(jar, HERE) == ""

    Tunnel().run(main)


# --- other jars ---------------------------------------------------------------------


def test_the_dummy_keeps_nothing() -> None:
    jar = windtunnel.DummyCookieJar()
    jar.update_cookies({"a": "1"})
    jar.update_cookies_from_headers(["a=1"], HERE)
    jar.clear()
    jar.clear_domain("h.test")
    assert (len(jar), list(jar), dict(jar.cookies)) == (0, [], {})
    assert jar.filter_cookies(HERE) == {}
    assert (jar.unsafe, jar.quote_cookie) == (False, True)
    assert jar.host_only_cookies == jar.treat_as_secure_origin == frozenset()


def test_a_jar_of_ones_own_gets_the_cookies_of_headers() -> None:
    class Own(windtunnel.DummyCookieJar):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[Any] = []

        @override
        def update_cookies(self, cookies: Any, response_url: URL = HERE) -> None:
            self.seen.append((dict(cookies)["a"].value, response_url))

    jar = Own()
    jar.update_cookies_from_headers(["a=1", "b"], HERE)
    jar.update_cookies_from_headers(["b"], HERE)
    assert jar.seen == [("1", HERE)]
    assert isinstance(jar, AbstractCookieJar)


def test_the_view_of_the_cookies_cannot_be_changed() -> None:
    view: Any = filled(["a=1"]).cookies
    with pytest.raises(TypeError):
        view["x", "y"] = SimpleCookie()
