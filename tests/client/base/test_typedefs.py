"""Small values: their defaults, and how a value is shown in a message."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from windtunnel._base.typedefs import (
    UNSET,
    ConnectionKey,
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    ProxyRoute,
    RequestInfo,
    Sentinel,
    shown,
)

HEADERS = CIMultiDictProxy(CIMultiDict(A="b"))


def test_versions_are_pairs_in_their_order() -> None:
    assert HttpVersion10 < HttpVersion11 == HttpVersion(1, 1) == (1, 1)


def test_a_request_was_asked_for_by_its_own_url_unless_another_is_given() -> None:
    url, real = URL("http://h/"), URL("http://h/#x")
    assert RequestInfo(url, "GET", HEADERS).real_url == url
    info = RequestInfo(url, "GET", HEADERS, real)
    assert info == (url, "GET", HEADERS, real)


def test_what_was_not_given_is_not_none() -> None:
    assert UNSET is Sentinel.UNSET
    assert repr(UNSET) == "<Sentinel.UNSET: 'not given'>"


def test_connections_through_different_proxies_are_different() -> None:
    proxy = ProxyRoute(URL("http://p:1"), "p", 1, False)
    keys = {
        ConnectionKey("h", 80, False, True, each, None, None)
        for each in (None, proxy, proxy._replace(authorization="a"))
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("a\n", r"'a\n'", id="text"),
        pytest.param(5, "5", id="number"),
        pytest.param("x" * 100, "'" + "x" * 39, id="long"),
    ],
)
def test_a_value_is_shown_in_forty_characters(value: object, expected: str) -> None:
    assert shown(value).startswith(expected)
    assert len(shown(value)) <= 43
