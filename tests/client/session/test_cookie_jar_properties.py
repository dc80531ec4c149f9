"""The jar beside a model of RFC 6265: a list, and the rules as they are written there.

Cookies are set by random URLs while time passes; each request must get exactly those
that the model gives it: never one of another host, path or time, and none that is
Secure without TLS.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import given, settings, strategies as st
from yarl import URL

import windtunnel
from windtunnel_fakeserver import Tunnel

HOSTS = ["h.test", "a.h.test", "b.a.h.test", "xh.test", "test", "1.2.3.4", "4"]
PATHS = ["/", "/x", "/x/", "/x/y", "/xy", "/x/y/z"]
NAMES = ["a", "b", "__Host-a", "__Secure-a"]


class Setting(NamedTuple):
    """One cookie, the URL that sets it, and how long nothing happens before."""

    wait: int
    url: URL
    name: str
    value: str
    domain: str | None
    path: str | None
    max_age: int | None
    is_secure: bool

    @property
    def field(self) -> str:
        parts = [f"{self.name}={self.value}"]
        if self.domain is not None:
            parts.append(f"Domain={self.domain}")
        if self.path is not None:
            parts.append(f"Path={self.path}")
        if self.max_age is not None:
            parts.append(f"Max-Age={self.max_age}")
        if self.is_secure:
            parts.append("Secure")
        return "; ".join(parts)


urls = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(HOSTS),
    st.sampled_from(PATHS),
).map(URL)
settings_of_cookies = st.lists(
    st.builds(
        Setting,
        st.sampled_from([0, 0, 5, 60]),
        urls,
        st.sampled_from(NAMES),
        st.sampled_from(["1", "2", "3"]),
        st.none() | st.sampled_from([*HOSTS, ".h.test", "other.test"]),
        st.none() | st.sampled_from([*PATHS, "x"]),
        st.none() | st.sampled_from([-1, 0, 5, 60, 99_999_999]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


class Cookie(NamedTuple):
    """One cookie of the model."""

    name: str
    value: str
    domain: str
    path: str
    is_host_only: bool
    is_secure: bool
    ends: float


def is_ip(host: str) -> bool:
    return host == "1.2.3.4"


def domain_match(host: str, domain: str) -> bool:
    """Follow RFC 6265 section 5.1.3."""
    return host == domain or (host.endswith("." + domain) and not is_ip(host))


def path_match(path: str, cookie_path: str) -> bool:
    """Follow RFC 6265 section 5.1.4."""
    if path == cookie_path:
        return True
    below = path.startswith(cookie_path)
    return below and (cookie_path[-1] == "/" or path[len(cookie_path)] == "/")


class Model:
    """The user agent of RFC 6265 section 5.3, and of RFC 6265bis for what is Secure."""

    def __init__(self) -> None:
        self.kept: list[Cookie] = []

    def set(self, each: Setting, now: float) -> None:
        host, path = each.url.host or "", each.url.path
        domain = (each.domain or "").removeprefix(".")
        if is_ip(host) or (domain and not domain_match(host, domain)):
            return
        cookie_path = each.path or ""
        if not cookie_path.startswith("/"):
            cookie_path = path[: path.rindex("/")] or "/"
        life = 10.0**9 if each.max_age is None else min(each.max_age, 400 * 86400)
        new = Cookie(
            each.name,
            each.value,
            domain or host,
            cookie_path,
            not domain,
            each.is_secure,
            now + life,
        )
        if self._is_refused(new, each):
            return
        # The identity of aiohttp's jar: a slash at the end of the path is nothing.
        identity = (new.name, new.domain, new.path.rstrip("/"))
        self.kept = [
            old
            for old in self.kept
            if (old.name, old.domain, old.path.rstrip("/")) != identity
        ]
        if life > 0:
            self.kept.append(new)

    def _is_refused(self, new: Cookie, each: Setting) -> bool:
        if new.name.startswith("__") and not new.is_secure:
            return True
        if new.name == "__Host-a" and (not new.is_host_only or each.path != "/"):
            return True
        if each.url.scheme == "https":
            return False
        return new.is_secure or any(
            old.is_secure
            and old.name == new.name
            and path_match(new.path, old.path)
            and (
                domain_match(new.domain, old.domain)
                or domain_match(old.domain, new.domain)
            )
            for old in self.kept
        )

    def get(self, url: URL) -> dict[str, str]:
        found = [
            cookie
            for cookie in self.kept
            if path_match(url.path, cookie.path)
            and (url.scheme == "https" or not cookie.is_secure)
            and not is_ip(url.host or "")
            and (
                url.host == cookie.domain
                if cookie.is_host_only
                else domain_match(url.host or "", cookie.domain)
            )
        ]
        # Of one name the closest is sent, as aiohttp does.
        found.sort(key=lambda cookie: (len(cookie.domain), len(cookie.path)))
        return {cookie.name: cookie.value for cookie in found}


ASKED = [URL(f"{s}://{h}{p}") for s in ("http", "https") for h in HOSTS for p in PATHS]


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(settings_of_cookies)
def test_each_request_gets_what_the_model_gives_it(cookies: list[Setting]) -> None:
    async def main(tunnel: Tunnel) -> None:
        jar, model = windtunnel.CookieJar(), Model()
        for each in cookies:
            await tunnel.clock.advance(each.wait)
            now = tunnel.clock.elapsed
            model.kept = [cookie for cookie in model.kept if cookie.ends > now]
            jar.update_cookies_from_headers([each.field], each.url)
            model.set(each, now)
            for url in ASKED:
                sent = {n: m.value for n, m in jar.filter_cookies(url).items()}
                assert sent == model.get(url), url
        assert sorted(each.key for each in jar) == sorted(c.name for c in model.kept)

    Tunnel().run(main)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(settings_of_cookies)
def test_a_jar_that_was_saved_and_loaded_sends_the_same(cookies: list[Setting]) -> None:
    jar, again = windtunnel.CookieJar(), windtunnel.CookieJar()
    for each in cookies:
        jar.update_cookies_from_headers([each.field], each.url)
    with TemporaryDirectory() as folder:
        jar.save(f"{folder}/jar")
        again.load(f"{folder}/jar")
    assert again.cookies == jar.cookies
    assert again.host_only_cookies == jar.host_only_cookies
    for url in ASKED:
        assert dict(again.filter_cookies(url)) == dict(jar.filter_cookies(url))
