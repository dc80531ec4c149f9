"""Matchers, and what they say about a request that does not match."""

from __future__ import annotations

import re
from typing import Any

import pytest

from windtunnel_fakeserver import Request, subset
from windtunnel_fakeserver._script.match import Criterion, make_matcher, quoted

REQUEST = Request(
    "POST",
    "/v1/it%20ems?b=2&a=1&a=3",
    "HTTP/1.1",
    [("Content-Type", "application/json"), ("X-Tag", "one"), ("X-Tag", "two")],
    b'{"qty": 2, "tags": ["x", {"y": true}]}',
    b"",
)
BASE: dict[str, Any] = {"method": "POST", "path": "/v1/it%20ems"}
JSON: dict[str, Any] = {"qty": 2, "tags": ["x", {"y": True}]}


def ends_in_s(path: str) -> bool:
    return path.endswith("s")


def has_bytes(body: bytes) -> bool:
    return len(body) > 2


def wants_two(request: Request) -> bool:
    return bool(request.json()["qty"] == 2)


def says_no(_: object) -> int:
    return 0


def boom(_: object) -> bool:
    msg = "boom"
    raise KeyError(msg)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param({}, id="all"),
        pytest.param({"method": None, "path": None}, id="anything"),
        pytest.param({"method": re.compile("P.*")}, id="method-pattern"),
        pytest.param({"method": str.isupper}, id="method-callable"),
        pytest.param({"path": "/v1/it ems"}, id="path-unquoted"),
        pytest.param({"path": "/v1/it%20ems?b=2&a=1&a=3"}, id="path-with-query"),
        pytest.param({"path": re.compile(r"/v\d/.*")}, id="path-pattern"),
        pytest.param({"path": ends_in_s}, id="path-callable"),
        pytest.param({"headers": {"x-tag": "two"}}, id="second-header-value"),
        pytest.param({"headers": {"X-TAG": re.compile("o.e")}}, id="header-pattern"),
        pytest.param({"query": {"a": ["1", "3"], "b": "2"}}, id="query-mapping"),
        pytest.param({"query": [("a", "1"), ("a", "3"), ("b", "2")]}, id="query-pairs"),
        pytest.param({"json": JSON}, id="json"),
        pytest.param({"json": subset({"qty": 2})}, id="json-subset"),
        pytest.param({"body": REQUEST.body}, id="body"),
        pytest.param({"body": REQUEST.body.decode()}, id="body-text"),
        pytest.param({"body": re.compile(rb'\{"qty".*')}, id="body-pattern"),
        pytest.param({"body": has_bytes}, id="body-callable"),
        pytest.param({"where": wants_two}, id="where"),
    ],
)
def test_a_request_that_fits_matches_and_explains_only_ok(
    words: dict[str, Any],
) -> None:
    matcher = make_matcher(**(BASE | words))
    assert matcher.matches(REQUEST)
    assert all(result.ok for result in matcher.explain(REQUEST))


@pytest.mark.parametrize(
    ("words", "missed"),
    [
        pytest.param(
            {"method": "GET"},
            Criterion("method", ok=False, expected='"GET"', got='"POST"'),
            id="method",
        ),
        pytest.param(
            {"path": "/v1/other"},
            Criterion("path", ok=False, expected='"/v1/other"', got='"/v1/it%20ems"'),
            id="path",
        ),
        pytest.param(
            {"path": "/v1/it%20ems?a=1"},
            Criterion(
                "path",
                ok=False,
                expected='"/v1/it%20ems?a=1"',
                got='"/v1/it%20ems?b=2&a=1&a=3"',
            ),
            id="path-with-query",
        ),
        pytest.param(
            {"headers": {"x-tag": re.compile("t")}},
            Criterion(
                "header x-tag", ok=False, expected="re.compile('t')", got='"one", "two"'
            ),
            id="header-pattern-is-whole",
        ),
        pytest.param(
            {"headers": {"x-none": "1"}},
            Criterion("header x-none", ok=False, expected='"1"', got="absent"),
            id="header-absent",
        ),
        pytest.param(
            {"query": {"a": "1"}},
            Criterion(
                "query",
                ok=False,
                expected="[('a', '1')]",
                got="[('b', '2'), ('a', '1'), ('a', '3')]",
            ),
            id="query",
        ),
        pytest.param(
            {"json": {**JSON, "qty": "2"}},
            Criterion("json $.qty", ok=False, expected="'2'", got="2"),
            id="json",
        ),
        pytest.param(
            {"body": b"x"},
            Criterion(
                "body",
                ok=False,
                expected="b'x'",
                got='b\'{"qty": 2, "tags": ["x", {"y": true}]}\'',
            ),
            id="body",
        ),
        pytest.param(
            {"where": boom},
            Criterion(
                "where", ok=False, expected="boom", got="raised KeyError('boom')"
            ),
            id="where-raises",
        ),
        pytest.param(
            {"where": says_no},
            Criterion("where", ok=False, expected="says_no", got="False"),
            id="where-says-no",
        ),
        pytest.param(
            {"path": boom},
            Criterion("path", ok=False, expected="boom", got='"/v1/it%20ems"'),
            id="callable-raises",
        ),
    ],
)
def test_a_miss_is_explained(words: dict[str, Any], missed: Criterion) -> None:
    matcher = make_matcher(**(BASE | words))
    assert not matcher.matches(REQUEST)
    assert [r for r in matcher.explain(REQUEST) if not r.ok] == [missed]


def test_a_body_that_is_not_json_is_said() -> None:
    empty = Request("POST", "/", "HTTP/1.1", [], b"", b"")
    matcher = make_matcher("POST", "/", json={"a": 1})
    [miss] = [r for r in matcher.explain(empty) if not r.ok]
    assert (miss.name, miss.got) == ("json", "not JSON: no body")
    words = Request("POST", "/", "HTTP/1.1", [], b"words", b"")
    assert matcher.explain(words)[-1].got == "not JSON: b'words'"


def test_secrets_are_masked_in_everything_that_is_said() -> None:
    secret = Request(
        "GET", "/", "HTTP/1.1", [("Authorization", "Bearer abc")], b"", b""
    )
    matcher = make_matcher("GET", "/", headers={"authorization": "Bearer xyz1"})
    said = repr(matcher.explain(secret)) + matcher.describe()
    assert "abc" not in said
    assert "xyz1" not in said
    assert "<masked, 10 characters>" in said


def test_describe_is_what_the_author_wrote() -> None:
    matcher = make_matcher(
        "POST",
        re.compile("/x.*"),
        headers={"a": "b"},
        query={"q": "1"},
        json=subset({"k": 1}),
        body=re.compile(b"x"),
        where=boom,
    )
    assert matcher.describe() == (
        "\"POST\", re.compile('/x.*'), headers={\"a\": \"b\"}, query=[('q', '1')], "
        "json=subset({'k': 1}), body=re.compile(b'x'), where=boom"
    )


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        pytest.param({"path": "x"}, ValueError, "must begin with '/'", id="path"),
        pytest.param({"path": 1}, TypeError, "path 1 must be str", id="path-type"),
        pytest.param(
            {"method": b"GET"}, TypeError, "method b'GET' must be", id="method"
        ),
        pytest.param(
            {"headers": {"a": 1}}, TypeError, "header 'a': 1 must", id="header"
        ),
    ],
)
def test_wrong_words_are_refused_at_the_call(
    words: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_matcher(**(BASE | words))


def test_the_path_of_options_may_be_an_asterisk() -> None:
    asked = Request("OPTIONS", "*", "HTTP/1.1", [], b"", b"")
    assert make_matcher("OPTIONS", "*").matches(asked)


@pytest.mark.parametrize("text", ["a", "it's", 'say "x"', "\n\\", "é", "'\"", ""])
def test_quoted_text_is_a_python_literal(text: str) -> None:
    assert eval(quoted(text)) == text
