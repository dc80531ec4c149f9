"""The jar: what it keeps, for how long, and who gets it; beside aiohttp's."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from http.cookies import Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given, settings, strategies as st
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


# --- beside aiohttp -----------------------------------------------------------------

FIELDS = [
    "a=1",
    "b=2; path=/",
    "c=3; path=/x",
    "c=4; path=/x/y",
    "d=5; domain=h.test",
    "e=6; domain=.a.h.test; path=/x/",
    "f=7; secure",
    "g=8; max-age=0",
    f"h=9; {LATER}",
    "i=10; domain=other.test",
    "j=11; domain=h.test.",
    'k="q r"; httponly',
    "l=q r; samesite=lax",
    "m=q=r",
    "n=",
    "o",
    "=p",
    "q=1; max-age=+9",
    "r=1; path=x",
    "a=2",
]
URLS = [
    "http://a.h.test/",
    "http://a.h.test/x",
    "http://a.h.test/x/",
    "http://a.h.test/x/y",
    "http://a.h.test/x/yz",
    "https://a.h.test/x/y/z",
    "http://h.test/x",
    "http://b.h.test/x/y",
    "http://b.a.h.test/x/y",
    "http://1.2.3.4/",
]


def beside(fields: list[str], options: dict[str, Any]) -> None:
    """Compare both jars, made and asked alike."""

    async def main() -> None:
        ours = windtunnel.CookieJar(**options)
        theirs = aiohttp.CookieJar(**options)
        for url in (str(HERE), "http://1.2.3.4/", "https://a.h.test/x/y"):
            ours.update_cookies_from_headers(fields, URL(url))
            theirs.update_cookies_from_headers(fields, URL(url))
            assert facts(ours) == facts(theirs)
            for asked in URLS:
                assert sent(ours, asked) == sent(theirs, asked)

    asyncio.run(main())


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("quote_cookie", [False, True])
def test_the_jar_does_what_that_of_aiohttp_does(
    unsafe: bool, quote_cookie: bool
) -> None:
    options = {"unsafe": unsafe, "quote_cookie": quote_cookie}
    beside(FIELDS, options)
    for field in FIELDS:
        beside([field], options)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(FIELDS), min_size=2, max_size=8))
def test_any_order_of_cookies_does_what_it_does_in_aiohttp(fields: list[str]) -> None:
    beside(fields, {})


def test_both_read_each_others_files(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "jar"
        ours = filled(FIELDS)
        ours.save(path)
        theirs = aiohttp.CookieJar()
        theirs.load(path)
        assert facts(theirs) == facts(ours)
        theirs.save(path)
        again = windtunnel.CookieJar()
        again.load(path)
        assert facts(again) == facts(ours)

    asyncio.run(main())


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


def test_a_public_suffix_gets_no_cookie() -> None:
    fields = ["a=1; domain=h.test; path=/", "b=1; domain=test; path=/"]
    assert sent(filled(fields), "http://z.test/") == "b=1"
    jar = filled(fields, public_suffix="test".__eq__)
    assert sent(jar, "http://z.test/") == ""
    assert sent(jar, "http://z.h.test/") == "a=1"


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
    path = tmp_path / "jar"
    jar = filled([f"a=1; {LATER}; secure", 'b="x y"; domain=h.test; httponly'])
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
    assert content["a.h.test|/x"]["a"]["expires_timestamp"] == 4096250880


def test_an_end_is_kept_in_a_file(tmp_path: Path) -> None:
    async def main(tunnel: Tunnel) -> None:
        filled(["a=1; max-age=10", "b=1"]).save(tmp_path / "jar")
        await tunnel.clock.advance(10)
        jar = windtunnel.CookieJar()
        jar.load(tmp_path / "jar")
        assert [each.key for each in jar] == ["b"]

    Tunnel().run(main)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x80\x04", id="pickle"),
        pytest.param(b"{", id="no-json"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"a|": 1}', id="no-group"),
        pytest.param(b'{"a|": {"n": 1}}', id="no-cookie"),
        pytest.param(b'{"a|": {"n": {"value": "1"}}}', id="no-key"),
        pytest.param(
            b'{"a": {"n": {"key": "n", "value": "1", "coded_value": "1"}}}', id="no-bar"
        ),
        pytest.param(
            b'{"a|": {"n": {"key": "n", "value": "1", "coded_value": "\\n"}}}',
            id="control",
        ),
    ],
)
def test_a_bad_file_leaves_the_jar_as_it_is(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "jar"
    path.write_bytes(content)
    jar = filled(["a=1"])
    with pytest.raises(ValueError, match="is not a file of cookies"):
        jar.load(path)
    assert [each.key for each in jar] == ["a"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "jar").mkdir()
    with pytest.raises(OSError, match="jar"):
        filled(["a=1"]).save(tmp_path / "jar")
    assert os.listdir(tmp_path) == ["jar"]
    with pytest.raises(OSError, match="none"):
        windtunnel.CookieJar().load(tmp_path / "none")


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
