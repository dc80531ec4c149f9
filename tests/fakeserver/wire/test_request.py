"""Readings of a recorded request."""

from __future__ import annotations

import pytest

from windtunnel_fakeserver import Request


def request(
    target: str = "/", body: bytes = b"", content_type: str | None = None
) -> Request:
    headers = [] if content_type is None else [("Content-Type", content_type)]
    return Request("POST", target, "HTTP/1.1", headers, body, b"raw")


@pytest.mark.parametrize(
    ("target", "path", "query_string"),
    [
        pytest.param("/a/b%20c?x=1&y", "/a/b%20c", "x=1&y", id="origin"),
        pytest.param("/a?b?c", "/a", "b?c", id="question-mark-in-query"),
        pytest.param("http://h:1/a?b", "/a", "b", id="absolute"),
        pytest.param("http://h?b", "/", "b", id="absolute-without-path"),
        pytest.param("http://h", "/", "", id="absolute-bare"),
        pytest.param("/go?to=http://h/x", "/go", "to=http://h/x", id="url-in-query"),
        pytest.param("*", "*", "", id="asterisk"),
        pytest.param("h:443", "h:443", "", id="authority"),
        pytest.param("", "/", "", id="nothing"),
    ],
)
def test_path_and_query_are_taken_from_any_form_of_target(
    target: str, path: str, query_string: str
) -> None:
    found = request(target)
    assert (found.path, found.query_string) == (path, query_string)


def test_query_pairs_are_decoded_in_order() -> None:
    assert request("/?b=1&a=%C3%A9+x&b=").query == [("b", "1"), ("a", "é x"), ("b", "")]


def test_header_takes_any_case_and_gives_the_first() -> None:
    found = Request("GET", "/", "HTTP/1.1", [("A", "1"), ("a", "2")], b"", b"")
    assert found.header("a") == "1"
    assert found.header("b") is None


def test_json_that_is_not_json_says_what_was_there() -> None:
    assert request(body=b'{"a": 1}').json() == {"a": 1}
    with pytest.raises(ValueError, match=r"body b'\{no' of POST / .* is not JSON"):
        request(body=b"{no").json()


def test_form_pairs_are_decoded_and_other_types_are_refused() -> None:
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    assert request(body=b"a=1&b=+&a=", content_type=kind).form() == [
        ("a", "1"),
        ("b", " "),
        ("a", ""),
    ]
    assert request(body=b"a=1").form() == [("a", "1")]
    with pytest.raises(ValueError, match="is 'text/plain', form"):
        request(body=b"a=1", content_type="text/plain").form()


@pytest.mark.parametrize(
    ("content_type", "encoding", "expected"),
    [
        pytest.param(None, None, "é", id="utf-8-by-default"),
        pytest.param('text/plain; x=1; charset="latin-1"', None, "Ã©", id="charset"),
        pytest.param("text/plain; charset=utf-8", "latin-1", "Ã©", id="argument-wins"),
    ],
)
def test_text_uses_argument_then_charset_then_utf8(
    content_type: str | None, encoding: str | None, expected: str
) -> None:
    assert (
        request(body="é".encode(), content_type=content_type).text(encoding) == expected
    )
