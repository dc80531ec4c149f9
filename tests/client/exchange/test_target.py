"""What a request makes of its URL."""

from __future__ import annotations

import pytest
from yarl import URL

from windtunnel import InvalidUrlClientError
from windtunnel._exchange.target import Target


@pytest.mark.parametrize(
    ("url", "host_field", "line_end"),
    [
        ("http://A.test", "a.test", " / HTTP/1.1\r\n"),
        ("http://a.test:80/x?y#z", "a.test", " /x?y HTTP/1.1\r\n"),
        ("https://a.test:80/", "a.test:80", " / HTTP/1.1\r\n"),
        ("https://a.test:443/", "a.test", " / HTTP/1.1\r\n"),
        ("http://[::1]:8080/", "[::1]:8080", " / HTTP/1.1\r\n"),
        ("http://[::1]/", "[::1]", " / HTTP/1.1\r\n"),
        ("http://[fe80::1%25eth0]:81/", "[fe80::1]:81", " / HTTP/1.1\r\n"),
        ("http://[fe80::1%25eth0]/", "[fe80::1]", " / HTTP/1.1\r\n"),
        ("http://b\xfccher.test/\xe4?\xf6", "xn--bcher-kva.test", None),
        ("http://user:pw@a.test/", "a.test", " / HTTP/1.1\r\n"),
    ],
)
def test_host_field_and_request_line_follow_from_the_url(
    url: str, host_field: str, line_end: str | None
) -> None:
    target = Target(URL(url))
    assert target.host_field == host_field
    assert target.line_end == (line_end or " /%C3%A4?%C3%B6 HTTP/1.1\r\n")
    assert target.url.user is None
    assert not target.url.fragment


def test_credentials_become_a_header_value() -> None:
    assert Target(URL("http://u@a.test/")).authorization == "Basic dTo="
    assert Target(URL("http://a.test/")).authorization == ""


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/\x7f", "/?\0"])
def test_a_url_that_was_not_encoded_cannot_break_the_request_line(path: str) -> None:
    with pytest.raises(InvalidUrlClientError, match="not percent-encoded"):
        Target(URL.build(scheme="http", host="a.test", path="/").join(_raw(path)))


def _raw(path: str) -> URL:
    return URL(path, encoded=True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.test", " http://a.test/ HTTP/1.1\r\n"),
        ("http://a.test:80/x?y#z", " http://a.test/x?y HTTP/1.1\r\n"),
        ("http://u:p@a.test:81/", " http://a.test:81/ HTTP/1.1\r\n"),
        ("http://[fe80::1%25eth0]:81/", " http://[fe80::1]:81/ HTTP/1.1\r\n"),
    ],
)
def test_a_proxy_is_asked_by_the_absolute_form(url: str, expected: str) -> None:
    assert Target(URL(url)).absolute_line_end() == expected
