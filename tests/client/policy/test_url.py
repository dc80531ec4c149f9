"""A URL is made of base, reference and params, or refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import MultiDict
from yarl import URL

from windtunnel._policy.url import HTTP_SCHEMES, build_url, make_base_url
from windtunnel.errors import InvalidUrlClientError, NonHttpUrlClientError

BASE = URL("http://h/a/b/?base=1")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        pytest.param("x", "http://h/a/b/x", id="relative"),
        pytest.param("/x", "http://h/x", id="leading-slash-drops-the-base-path"),
        pytest.param("../x", "http://h/a/x", id="dot-segments"),
        pytest.param("?q=1", "http://h/a/b/?q=1", id="query-only"),
        pytest.param("", "http://h/a/b/?base=1", id="empty-is-the-base"),
        pytest.param("#f", "http://h/a/b/?base=1#f", id="fragment-only"),
        pytest.param("//o/p", "http://o/p", id="network-path-takes-the-scheme"),
        pytest.param("https://o/p", "https://o/p", id="absolute-overrides"),
    ],
)
def test_reference_is_joined_as_rfc3986_says(reference: str, expected: str) -> None:
    assert str(build_url(BASE, reference)) == expected
    assert str(build_url(BASE, URL(reference))) == expected


@pytest.mark.parametrize(
    ("params", "query"),
    [
        pytest.param({"k": "v"}, "x=1&k=v", id="mapping"),
        pytest.param({"x": 2}, "x=1&x=2", id="added-not-replaced"),
        pytest.param({"k": ["v1", "v2"]}, "x=1&k=v1&k=v2", id="list-repeats-the-name"),
        pytest.param([("k", "v1"), ("k", 2.5)], "x=1&k=v1&k=2.5", id="pairs"),
        pytest.param(
            MultiDict([("k", "1"), ("k", "2")]), "x=1&k=1&k=2", id="multidict"
        ),
        pytest.param("k=v+1", "x=1&k=v+1", id="str-keeps-its-plus"),
        pytest.param({"k": "a b&c"}, "x=1&k=a+b%26c", id="value-is-encoded"),
        pytest.param({}, "x=1", id="nothing"),
        pytest.param(None, "x=1", id="none"),
    ],
)
def test_params_are_added_to_the_query(params: Any, query: str) -> None:
    url = build_url(None, "http://h/p?x=1#part", params)
    assert url.raw_query_string == query
    assert url.fragment == "part"


@pytest.mark.parametrize(
    ("params", "error", "reason"),
    [
        pytest.param({"k": True}, TypeError, "got True", id="bool"),
        pytest.param({"k": None}, TypeError, "got None", id="none-value"),
        pytest.param({"k": b"v"}, TypeError, "got b'v'", id="bytes-value"),
        pytest.param({"k": float("nan")}, ValueError, "nan", id="nan"),
        pytest.param(5, TypeError, "only str, mapping or sequence", id="int"),
        pytest.param(b"k=v", TypeError, "bytes", id="bytes"),
        pytest.param([("k",)], ValueError, "not enough values", id="not-a-pair"),
    ],
)
def test_params_that_cannot_be_a_query_are_refused_at_the_call(
    params: Any, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason) as caught:
        build_url(None, "http://h/", params)
    assert str(caught.value).startswith("params=")


def test_canonical_form_is_made_of_a_str_and_not_of_an_encoded_url() -> None:
    text = "http://EXAMPLE.com/путь/%30?a=%31"
    assert str(build_url(None, text)) == (
        "http://example.com/%D0%BF%D1%83%D1%82%D1%8C/0?a=1"
    )
    untouched = URL("http://example.com/%30", encoded=True)
    assert build_url(None, untouched) is untouched


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("http://", "has no host", id="no-host"),
        pytest.param("http:///x", "has no host", id="empty-authority"),
        pytest.param("/x", "is not absolute", id="path-without-base"),
        pytest.param("", "is not absolute", id="empty"),
        pytest.param("//h/x", "is not absolute", id="no-scheme"),
        pytest.param("http://h:99999/", "Port out of range", id="port-too-large"),
        pytest.param("http://h:x/", "port", id="port-is-no-number"),
        pytest.param("http://[::1", "IPv6", id="open-bracket"),
        pytest.param("http://a b/", "has ' ' in its host", id="space-in-host"),
        pytest.param('http://a"b/', "has '\"' in its host", id="quote-in-host"),
        pytest.param("http://a%41b/", "has '%' in its host", id="escape-in-host"),
        pytest.param("http://.../", "of 0 characters", id="only-dots"),
        pytest.param("http://a..b/", "of 0 characters", id="empty-label"),
        pytest.param(f"http://{'a' * 64}.b/", "of 64 characters", id="long-label"),
    ],
)
def test_unusable_url_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidUrlClientError) as caught:
        build_url(None, text)
    assert caught.value.url == text
    assert reason in str(caught.value.description)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://h/a b", id="space-in-path"),
        pytest.param("http://h/a\r\nX: y", id="line-end-in-path"),
        pytest.param("http://h/?a\0b", id="nul-in-query"),
    ],
)
def test_encoded_url_that_would_break_the_request_line_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrlClientError, match="would end the target"):
        build_url(None, URL(url, encoded=True))


@pytest.mark.parametrize("host", ["hé", "a\nb", "a\x7fb", "a^b", "a\\b"])
def test_encoded_url_with_a_bad_host_is_refused(host: str) -> None:
    url = URL.build(scheme="http", authority=host, path="/", encoded=True)
    with pytest.raises(InvalidUrlClientError, match="in its host"):
        build_url(None, url)


@pytest.mark.parametrize(
    "host",
    [
        "127.1", "2130706433", "127.0.0.01", "999.1.1.1", "1.2.3", "1.2.3.4.5",
        "1.2.3.4.", "256.0.0.1", "0x7f.1", "0x7f000001", "0x", "0177.0.0.1",
        "\uff11\uff12\uff17.\uff11",
    ],
)  # fmt: skip
def test_number_as_host_that_is_no_canonical_ipv4_address_is_refused(
    host: str,
) -> None:
    with pytest.raises(InvalidUrlClientError, match="is not a canonical IPv4 address"):
        build_url(None, f"http://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "0.0.0.0", "255.255.255.255", "[::1]", "[fe80::1%25eth0]", "a.1",
        "1.a", "example.com", "example.com.", "example.com..", "a_b", "xn--a", "0xg",
        "bücher.example",
    ],
)  # fmt: skip
def test_usable_host_is_accepted(host: str) -> None:
    assert build_url(None, f"http://{host}/").path == "/"


@pytest.mark.parametrize("text", ["ftp://h/", "mailto:x", "unix:///x", "tcp://h/"])
def test_scheme_that_the_client_does_not_speak_is_refused(text: str) -> None:
    with pytest.raises(NonHttpUrlClientError) as caught:
        build_url(None, text)
    assert str(caught.value).endswith("is none of http, https, ws, wss")


def test_connector_may_speak_another_scheme() -> None:
    url = build_url(None, "tcp://h/", schemes=HTTP_SCHEMES | {"tcp"})
    assert url.scheme == "tcp"


@pytest.mark.parametrize("value", [5, None, b"http://h/"])
def test_something_else_than_a_url_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match=r"not str or yarl\.URL"):
        build_url(None, value)
    with pytest.raises(TypeError, match=r"not str or yarl\.URL"):
        make_base_url(value)


@pytest.mark.parametrize("value", ["http://h", "http://h/", "http://h/a/?q=1"])
def test_base_url_is_taken_from_str_and_url(value: str) -> None:
    assert make_base_url(value) == URL(value)
    assert make_base_url(URL(value)) == URL(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("http://h/a", "must have a trailing '/'"),
        ("/a/", "URL should be absolute"),
        ("//h/", "URL should be absolute"),
        ("h", "URL should be absolute"),
    ],
)
def test_base_url_that_cannot_be_joined_to_is_refused(value: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make_base_url(value)
