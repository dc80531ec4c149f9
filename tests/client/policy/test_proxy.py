"""Which proxy, which exceptions, and how a proxy is asked."""

from __future__ import annotations

import pytest
from yarl import URL

from windtunnel._policy.auth import BasicAuth
from windtunnel._policy.proxy import (
    checked_proxy_auth,
    is_direct,
    make_route,
    proxy_url,
)
from windtunnel.errors import InvalidURL


@pytest.mark.parametrize(
    ("exceptions", "host", "port", "expected"),
    [
        ("", "a.test", 80, False),
        ("*", "a.test", 80, True),
        ("a.test", "a.test", 80, True),
        ("A.test", "a.TEST", 80, True),
        ("a.test", "a.test.", 80, True),
        ("a.test", "x.a.test", 80, True),
        (".a.test", "x.a.test", 80, True),
        (".a.test", "a.test", 80, True),
        ("*.a.test", "x.a.test", 80, True),
        ("a.test", "ba.test", 80, False),
        ("b.test, a.test", "a.test", 80, True),
        ("b.test a.test", "a.test", 80, True),
        ("a.test:81", "a.test", 80, False),
        ("a.test:81", "a.test", 81, True),
        (".", "a.test", 80, False),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, False),
        ("10.0.0.0/8", "a.test", 80, False),
        ("10.0.0.0/8", "2001:db8::1", 80, False),
        ("what/ever", "a.test", 80, False),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("2001:db8::1", "2001:db8::1", 80, True),
        ("[2001:db8::1]:81", "2001:db8::1", 81, True),
        ("[2001:db8::1]:81", "2001:db8::1", 80, False),
        ("[2001:db8::1]", "2001:db8::1", 80, True),
        ("2001:db8::/32", "2001:db8::1", 80, True),
    ],
)
def test_exceptions_name_hosts_networks_and_ports(
    exceptions: str, host: str, port: int, expected: bool
) -> None:
    assert is_direct(host, port, exceptions) is expected


def test_a_route_knows_the_proxy_without_its_credentials() -> None:
    proxy = proxy_url("https://u:p%40@proxy.test")
    route = make_route(proxy, URL("http://a.test/"), None, None)
    assert (route.host, route.port, route.is_ssl) == ("proxy.test", 443, True)
    assert str(route.url) == "https://proxy.test"
    assert route.authorization == "Basic dTpwQA=="
    assert not route.is_tunnel


@pytest.mark.parametrize("scheme", ["https", "ws", "wss"])
def test_only_http_is_passed_on(scheme: str) -> None:
    target = URL(f"{scheme}://a.test/")
    assert make_route(proxy_url("http://p.test"), target, None, None).is_tunnel


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_argument_wins_over_the_url_and_the_url_over_the_headers() -> None:
    target = URL("http://a.test/")
    headers = {"PROXY-authorization": "Mine", "X": "y"}
    auth = BasicAuth("a", "b")
    url = proxy_url("http://u@p.test")
    assert make_route(url, target, auth, headers).authorization == auth.encode()
    assert make_route(url, target, None, headers).authorization == "Basic dTo="
    route = make_route(proxy_url("http://p.test"), target, None, headers)
    assert route.authorization == "Mine"
    assert route.headers == (("X", "y"),)


@pytest.mark.parametrize("value", ["foo", "//a.test", "ftp://a.test", "http://[", ""])
def test_a_url_that_no_proxy_has_is_refused(value: str) -> None:
    with pytest.raises(InvalidURL):
        proxy_url(value)


def test_proxy_auth_is_none_or_basic_auth() -> None:
    assert checked_proxy_auth(None) is None
    with pytest.raises(ValueError, match="proxy_auth='x' must be None or BasicAuth"):
        checked_proxy_auth("x")
