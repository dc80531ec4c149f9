"""Where a redirect leads, and what may go along."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from yarl import URL

from windtunnel._policy.redirect import (
    Hop,
    dropped_fields,
    is_over,
    kept_fields,
    next_hop,
)
from windtunnel.errors import (
    InvalidUrlRedirectClientError,
    NonHttpUrlRedirectClientError,
)

HERE = URL("http://a.test/x/y?q=1#old")


def hop(
    location: str, status: int = 302, method: str = "GET", *, requote: bool = True
) -> Hop:
    found = next_hop(status, method, HERE, location, requote=requote)
    assert found is not None
    return found


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 399, 400])
def test_other_statuses_are_not_followed(status: int) -> None:
    assert next_hop(status, "GET", HERE, "/z") is None


def test_a_redirect_without_target_is_the_final_response() -> None:
    assert next_hop(302, "GET", HERE, None) is None


@pytest.mark.parametrize(
    ("status", "method", "following", "has_body"),
    [
        *[(status, "GET", "GET", True) for status in (301, 302, 307, 308)],
        *[(status, "HEAD", "HEAD", True) for status in (301, 302, 303, 307, 308)],
        *[(status, "POST", "GET", False) for status in (301, 302, 303)],
        *[(status, "POST", "POST", True) for status in (307, 308)],
        *[(status, "PUT", "PUT", True) for status in (301, 302, 307, 308)],
        (303, "PUT", "GET", False),
        (303, "DELETE", "GET", False),
        (303, "GET", "GET", False),
    ],
)
def test_method_and_body_follow_from_the_status(
    status: int, method: str, following: str, has_body: bool
) -> None:
    found = hop("/z", status, method)
    assert (found.method, found.has_body) == (following, has_body)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        pytest.param("/z", "http://a.test/z#old", id="path"),
        pytest.param("z", "http://a.test/x/z#old", id="relative"),
        pytest.param("../z", "http://a.test/z#old", id="up"),
        pytest.param("?p", "http://a.test/x/y?p#old", id="query"),
        pytest.param("", "http://a.test/x/y?q=1#old", id="empty"),
        pytest.param("#new", "http://a.test/x/y?q=1#new", id="fragment"),
        pytest.param("//b.test/z", "http://b.test/z#old", id="host"),
        pytest.param("http:/z", "http://a.test/z#old", id="scheme-path"),
        pytest.param("http:z", "http://a.test/x/z#old", id="scheme-relative"),
        pytest.param("http://b.test", "http://b.test/#old", id="bare-host"),
        pytest.param("https://a.test/z", "https://a.test/z#old", id="https"),
        pytest.param("/a b", "http://a.test/a%20b#old", id="blank"),
        pytest.param("/\u00e9", "http://a.test/%C3%A9#old", id="utf8"),
        pytest.param("/\udce9", "http://a.test/%E9#old", id="latin1"),
        pytest.param("http://u:p@b.test/", "http://u:p@b.test/#old", id="credentials"),
    ],
)
def test_a_target_is_resolved(location: str, url: str) -> None:
    assert str(hop(location).url) == url


def test_a_target_may_be_taken_as_it_is() -> None:
    assert hop("/a%2fb", requote=False).url.raw_path == "/a%2fb"


def test_a_blank_that_is_not_encoded_is_refused_if_nothing_encodes_it() -> None:
    with pytest.raises(InvalidUrlRedirectClientError):
        hop("/a b", requote=False)


@pytest.mark.parametrize(
    "location", ["http://", "http://[x/", "http://a.test:99999/", "http://127.1/"]
)
def test_a_target_that_is_no_url_is_an_error(location: str) -> None:
    with pytest.raises(InvalidUrlRedirectClientError):
        hop(location)


@pytest.mark.parametrize(
    "location", ["ftp://a.test/", "data:,x", "file:///etc/passwd", "javascript:1"]
)
def test_other_schemes_are_refused(location: str) -> None:
    with pytest.raises(NonHttpUrlRedirectClientError):
        hop(location)


def test_a_websocket_may_be_sent_on_to_its_own_scheme() -> None:
    found = next_hop(302, "GET", URL("ws://a.test/"), "/z")
    assert found is not None
    assert str(found.url) == "ws://a.test/z"


@pytest.mark.parametrize(
    ("location", "is_new"),
    [
        ("/z", False),
        ("http://a.test:80/z", False),
        ("https://a.test/", True),
        ("http://a.test:81/", True),
        ("http://b.test/", True),
        ("http://x.a.test/", True),
    ],
)
def test_scheme_host_and_port_make_the_origin(location: str, is_new: bool) -> None:
    assert hop(location).is_new_origin is is_new


def test_secrets_stay_at_their_origin() -> None:
    fields = [("AUTHORIZATION", "1"), ("Cookie", "2"), ("X", "3"), ("X", "4")]
    there = kept_fields(fields, dropped_fields(hop("http://b.test/")))
    assert there == [("X", "3"), ("X", "4")]
    assert kept_fields(fields, dropped_fields(hop("/z"))) == fields


def test_what_measures_a_body_goes_with_it() -> None:
    fields = [("Content-Length", "1"), ("Transfer-Encoding", "chunked"), ("X", "1")]
    changed = hop("/z", 303, "POST")
    assert kept_fields(fields, dropped_fields(changed)) == [("X", "1")]
    assert kept_fields(fields, dropped_fields(hop("/z", 307, "POST"))) == fields


@pytest.mark.parametrize(
    ("count", "limit", "expected"),
    [(1, 10, False), (9, 10, False), (10, 10, True), (1, 1, True), (99, 0, False)],
)
def test_the_limit_is_reached(count: int, limit: int, expected: bool) -> None:
    assert is_over(count, limit) is expected


@settings(derandomize=True, max_examples=200)
@given(st.text(alphabet="ab:/?#[]@%. \udce9é", max_size=20))
def test_any_target_is_a_url_or_one_of_two_errors(location: str) -> None:
    try:
        found = hop(location)
    except (InvalidUrlRedirectClientError, NonHttpUrlRedirectClientError):
        return
    assert found.url.scheme in {"http", "https"}
    assert found.url.host
