"""The jar beside aiohttp's: one table of what is alike, one of what differs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given, settings, strategies as st
from yarl import URL

import windtunnel
from tests.repo.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HERE = URL("https://a.h.test/x/y")
LATER = "expires=Wed, 21 Oct 2099 07:28:00 GMT"

ALIKE = [
    "a=1",
    "b=2; path=/",
    "c=3; path=/x",
    "c=4; path=/x/y",
    "c=5; path=/x/",
    "d=5; domain=h.test",
    "d=6; domain=.a.h.test; path=/x/",
    "e=7; domain=test",
    "e=8; domain=",
    "e=9; domain=.",
    "e=10; domain=..h.test",
    "e=11; domain=b.a.h.test",
    "e=12; domain=other.test",
    "e=13; domain=h.test.",
    'e=14; domain="h.test"',
    "e=15; domain=h.test; domain=",
    "g=1; max-age=0",
    "g=2; max-age=-1",
    "g=2; expires=Wed, 21-Oct-15 07:28:00 GMT",
    "g=2; expires=Wed, 21-Oct-99 07:28:00 GMT",
    "g=2; expires=Wed, 21 Oct 1969 07:28:00 GMT",
    "g=3; max-age=+9",
    "g=4; max-age= 9",
    'g=5; max-age="9"',
    "g=6; max-age=-",
    "g=7; max-age=9.5",
    "g=8; max-age=; expires=Wed, 21 Oct 2015 07:28:00 GMT",
    "g=9; max-age=9; expires=Wed, 21 Oct 2015 07:28:00 GMT",
    f"h=1; {LATER}",
    "h=2; expires=Wed, 21 Oct 2099 07:28:00",
    "h=3; expires=Wed, 21-Oct-2015 07:28:00 GMT",
    "h=4; expires=0",
    "h=5; expires=soon",
    'k="q r"; httponly',
    "k=q r; samesite=lax",
    "k=q,r",
    "k=q=r",
    "k=é",
    'k="',
    'k="q',
    'k="q;r"',
    r'k="q\"r\054s"',
    "k=\tq\t",
    "k=q\tr",
    "k=q\x01r",
    "n=",
    "n",
    "=n",
    "",
    ";",
    "n =m",
    "n m=1",
    "n;m=1",
    'n"=1',
    "n@:{}=1",
    "$Version=1; a=1",
    "p=1; path=",
    "p=2; path=x",
    'p=3; path="/x"',
    "p=4; path=/x?y",
    "p=5; path=/x; path=",
    "p=6; PATH=/x; Secure; HttpOnly; SameSite=None; Partitioned; Priority=High",
    "path=1",
    "q=1; version=1; comment=x",
    "q=2;;; path=/",
    f"r={'v' * 4095}",
    f"r={'v' * 4096}",
    f"r=1; path=/{'x' * 1024}",
    "r=1" + "; x=y" * 32 + "; path=/",
    "a=2",
]
URLS = [
    "http://a.h.test/",
    "http://a.h.test/x",
    "http://a.h.test/x/",
    "http://a.h.test/x/y",
    "http://a.h.test/x/yz",
    "https://a.h.test/x/y/z",
    "wss://a.h.test/x/y/z",
    "http://h.test/x",
    "http://b.h.test/x/y",
    "http://b.a.h.test/x/y",
    "http://1.2.3.4/",
    "http://4/",
    "http://[::1]/x/y",
]


def sent(jar: Any, url: str) -> dict[str, str]:
    cookies = jar.filter_cookies(URL(url))
    return {name: each.coded_value for name, each in cookies.items()}


def facts(jar: Any) -> tuple[list[Any], list[Any]]:
    """Say what is in a jar: what the compatible API shows of it."""
    kept = [
        (*key, name, each.value, each.coded_value, each["domain"], each["path"])
        for key, group in jar.cookies.items()
        for name, each in group.items()
    ]
    return sorted(kept), sorted(jar.host_only_cookies)


def check(fields: list[str], urls: list[URL], options: dict[str, Any]) -> None:
    """Fill both jars from each URL, and ask them for what each request gets."""

    async def main() -> None:
        ours = windtunnel.CookieJar(**options)
        theirs = aiohttp.CookieJar(**options)
        for url in urls:
            ours.update_cookies_from_headers(fields, url)
            theirs.update_cookies_from_headers(fields, url)
            assert facts(ours) == facts(theirs)
            for asked in URLS:
                assert sent(ours, asked) == sent(theirs, asked)

    asyncio.run(main())


WHENCE = [HERE, URL("https://1.2.3.4/"), URL("https://h.test/"), URL("wss://[::1]/x/y")]


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("quote_cookie", [False, True])
def test_the_jar_does_what_that_of_aiohttp_does(
    unsafe: bool, quote_cookie: bool
) -> None:
    options = {"unsafe": unsafe, "quote_cookie": quote_cookie}
    check(ALIKE[:50], WHENCE, options)
    check(ALIKE[-50:], WHENCE, options)
    for field in ALIKE:
        check([field], WHENCE, options)


def test_cookies_from_http_that_are_not_secure_are_alike_too() -> None:
    fields = [field for field in ALIKE if "secure" not in field.lower()]
    check(fields[:50], [HERE.with_scheme("http")], {})
    check(fields[-50:], [HERE.with_scheme("http")], {})


@settings(derandomize=True, max_examples=30, deadline=None, database=None)
@given(st.lists(st.sampled_from(ALIKE), min_size=2, max_size=8))
def test_any_order_of_cookies_does_what_it_does_in_aiohttp(fields: list[str]) -> None:
    check(fields, [HERE], {})


@settings(derandomize=True, max_examples=200, deadline=None, database=None)
@given(
    st.text(st.sampled_from('ab=;," \t\\/."01'), max_size=12),
    st.sampled_from(["", "; path=/", "; domain=h.test", "; max-age=5"]),
)
def test_any_text_is_taken_or_not_as_in_aiohttp(text: str, attributes: str) -> None:
    check([text + attributes], [HERE], {})


def test_a_domain_in_unicode_is_one() -> None:
    url = URL("https://bücher.test/x/y")
    check(["a=1; domain=xn--bcher-kva.test"], [url], {})

    async def main() -> None:
        jars: list[Any] = [windtunnel.CookieJar(), aiohttp.CookieJar()]
        for jar in jars:
            jar.update_cookies_from_headers(["a=1; domain=bücher.test"], url)
        assert [len(jar.host_only_cookies) for jar in jars] == [0, 1]

    asyncio.run(main())


def test_the_order_for_a_request_is_that_of_rfc6265_section_5_4() -> None:
    fields = [
        "z=1; path=/",
        "b=2; path=/x",
        "a=3; path=/",
        "m=4; path=/x/y",
        "q=5; path=/x; domain=h.test",
        "z=6; path=/",
    ]

    async def main() -> None:
        jars: list[Any] = [windtunnel.CookieJar(), aiohttp.CookieJar()]
        for jar in jars:
            jar.update_cookies_from_headers(fields, HERE)
        ours, theirs = (list(sent(jar, str(HERE))) for jar in jars)
        assert ours == ["m", "b", "q", "z", "a"]
        assert theirs == ["q", "z", "a", "b", "m"]

    asyncio.run(main())


def test_both_read_each_others_files(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "jar"
        ours = windtunnel.CookieJar()
        ours.update_cookies_from_headers(ALIKE[:50], HERE)
        ours.save(path)
        theirs = aiohttp.CookieJar()
        theirs.load(path)
        assert facts(theirs) == facts(ours)
        theirs.save(path)
        again = windtunnel.CookieJar()
        again.load(path)
        assert facts(again) == facts(ours)

    asyncio.run(main())


# Fields that the first URL sets; whether that leaves a cookie a in aiohttp's jar and in
# ours; the subject of the row that says so in docs/differences.md.
DIFFERENT = [
    pytest.param(
        ["a=1; expires=Thu, 01 Jan 1970 00:00:00 GMT"],
        HERE,
        (True, False),
        "Cookies: `Expires`",
        id="epoch",
    ),
    pytest.param(
        ["a=1; expires=2015 Oct 21 07:28:00 GMT"],
        HERE,
        (True, False),
        "Cookies: `Expires`",
        id="year-first",
    ),
    pytest.param(
        ["a=1; expires=Tue, 31 Feb 2015 07:28:00 GMT"],
        HERE,
        (False, True),
        "Cookies: `Expires`",
        id="31-february",
    ),
    pytest.param(
        ["a=1; domain=H.TEST"],
        HERE,
        (False, True),
        "Cookies: `Domain`",
        id="upper-case-domain",
    ),
    pytest.param(
        ["a=1; secure"],
        HERE.with_scheme("http"),
        (True, False),
        "Cookies: Secure ones",
        id="secure-from-http",
    ),
    pytest.param(
        ["a=1; secure; path=/", "a=; max-age=0; path=/"],
        HERE.with_scheme("http"),
        (False, False),
        "Cookies: Secure ones",
        id="secure-and-gone",
    ),
    pytest.param(
        ["__Host-a=1; path=/x; secure"],
        HERE,
        (True, False),
        "Cookies: a `__Secure-`",
        id="host-prefix",
    ),
    pytest.param(
        ["__Secure-a=1"],
        HERE,
        (True, False),
        "Cookies: a `__Secure-`",
        id="secure-prefix",
    ),
]


@pytest.mark.parametrize(("fields", "url", "kept", "subject"), DIFFERENT)
def test_where_the_jars_differ_the_page_of_differences_says_so(
    fields: list[str], url: URL, kept: tuple[bool, bool], subject: str
) -> None:
    async def main() -> tuple[bool, bool]:
        jars: list[Any] = [aiohttp.CookieJar(), windtunnel.CookieJar()]
        for jar in jars:
            jar.update_cookies_from_headers(fields, url)
        theirs, ours = (bool(facts(jar)[0]) for jar in jars)
        return theirs, ours

    assert asyncio.run(main()) == kept
    page = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    assert f"| {subject}" in page
