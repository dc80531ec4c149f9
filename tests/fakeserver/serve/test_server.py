"""Declaring hosts, and the words of a server."""

from __future__ import annotations

from typing import Any

import pytest

from windtunnel_fakeserver import Loopback, Reply, Request, Tls, Tunnel
from windtunnel_fakeserver._serve.server import parse_origin


def app(_: Request) -> Reply:
    return Reply()


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        pytest.param("http://a.test", "http://a.test", "a.test:80", id="http"),
        pytest.param("https://A.test/", "https://a.test", "a.test:443", id="https"),
        pytest.param("http://a.test:81", "http://a.test:81", "a.test:81", id="port"),
        pytest.param(
            "http://a.test:443", "http://a.test:443", "a.test:443", id="other"
        ),
        pytest.param("https://[::1]", "https://[::1]", "[::1]:443", id="ipv6"),
    ],
)
def test_origins_are_read(url: str, origin: str, authority: str) -> None:
    found = parse_origin(url)
    assert str(found) == origin
    assert found.authority == authority


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("a.test", "give http://name", id="no-scheme"),
        pytest.param("ftp://a.test", "give http://name", id="scheme"),
        pytest.param("http://", "give http://name", id="no-host"),
        pytest.param("http://a.test/x", "no path", id="path"),
        pytest.param("http://u@a.test", "no path", id="user"),
        pytest.param("http://a.test?x", "no path", id="query"),
    ],
)
def test_what_is_no_host_is_refused(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_origin(url)


def test_the_same_origin_is_the_same_server() -> None:
    tunnel = Tunnel()
    one = tunnel.host("https://api.test", app=app)
    assert tunnel.host("https://API.test:443") is one
    assert tunnel.host("https://api.test", app=app, tls=Tls()) is one
    assert tunnel.hosts == (one,)
    assert repr(one) == "<FakeServer https://api.test>"
    tunnel.world.close()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param({"tls": Tls(trusted=False)}, "another tls or app", id="tls"),
        pytest.param({"app": app}, "another tls or app", id="app"),
        pytest.param({"addresses": ["10.0.0.1"]}, "has its addresses", id="addresses"),
    ],
)
def test_an_origin_is_not_declared_twice_differently(
    words: dict[str, Any], message: str
) -> None:
    tunnel = Tunnel()
    tunnel.host("https://api.test")
    with pytest.raises(ValueError, match=message):
        tunnel.host("https://api.test", **words)
    tunnel.world.close()


def test_a_plain_host_has_no_certificate() -> None:
    with pytest.raises(ValueError, match="only https hosts"):
        Tunnel().host("http://a.test", tls=Tls())


def test_urls_begin_with_the_origin() -> None:
    tunnel = Tunnel()
    server = tunnel.host("http://a.test:8080")
    assert server.url() == "http://a.test:8080/"
    assert server.url("/x?y=1") == "http://a.test:8080/x?y=1"
    with pytest.raises(ValueError, match="must begin with '/'"):
        server.url("x")
    tunnel.world.close()


def test_loopback_hosts_are_on_127_0_0_1() -> None:
    with pytest.raises(ValueError, match="every host of a Loopback"):
        Loopback().host("http://a.test", addresses=["10.0.0.1"])


def test_a_route_knows_where_it_was_defined() -> None:
    tunnel = Tunnel()
    route = tunnel.server.on("GET", "/")
    assert route.place.file.endswith("test_server.py")
    assert not route.place.file.startswith("/")
    tunnel.world.close()


def test_a_queue_takes_replies_and_connections_take_functions() -> None:
    tunnel = Tunnel()
    nonsense: Any = b"HTTP/1.1 200 OK"
    with pytest.raises(
        TypeError, match=r"enqueue\(b'HTTP/1.1 200 OK'\): must be Reply"
    ):
        tunnel.server.enqueue(Reply(), nonsense)
    with pytest.raises(
        TypeError, match=r"on_connect\(b'HTTP/1.1 200 OK'\): must be an"
    ):
        tunnel.server.on_connect(nonsense)
    with pytest.raises(TypeError, match=r"on_connect\(\) without anything"):
        tunnel.server.on_connect()
    assert tunnel.verdict().ok
    tunnel.world.close()
