"""Response heads, the fast way: it reads what is regular, and leaves the rest."""

from __future__ import annotations

import pytest

from tests.client.wire.heads import LENIENT, REFUSED, REGULAR, SMALL, Facts, read_fast
from windtunnel._wire.head import parse_regular_head
from windtunnel._wire.limits import DEFAULT_LIMITS, Limits


@pytest.mark.parametrize(("data", "expected"), REGULAR)
def test_a_regular_head_is_read(data: bytes, expected: Facts) -> None:
    assert read_fast(data) == expected


@pytest.mark.parametrize(("data", "expected"), LENIENT)
def test_what_a_user_agent_may_take_is_left_to_the_careful_reader(
    data: bytes, expected: Facts
) -> None:
    assert expected[0] == 200
    assert not data.endswith(b"\r\n\r\n") or read_fast(data) is None


@pytest.mark.parametrize(("data", "rule", "offset"), REFUSED)
def test_a_malformed_head_is_left_to_the_careful_reader(
    data: bytes, rule: str, offset: int
) -> None:
    assert rule.startswith("RFC")
    assert offset <= len(data)
    assert read_fast(data.rstrip(b"\r\n") + b"\r\n\r\n") is None


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        pytest.param(b"HTTP/1.1 200 " + b"x" * 8 + b"\r\n\r\n", SMALL, id="line"),
        pytest.param(
            b"HTTP/1.1 200\r\nA: b\r\nC: d\r\n\r\n", Limits(max_headers=1), id="count"
        ),
        pytest.param(
            b"HTTP/1.1 200\r\nA: " + b"b" * 8200 + b"\r\n\r\n",
            DEFAULT_LIMITS,
            id="field",
        ),
    ],
)
def test_what_could_be_over_a_limit_is_left_to_the_careful_reader(
    data: bytes, limits: Limits
) -> None:
    assert read_fast(data, limits) is None


TELLING = {
    "connection",
    "content-encoding",
    "content-length",
    "set-cookie",
    "transfer-encoding",
}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param("", id="none"),
        pytest.param("Content-Length: 5\r\n", id="first"),
        pytest.param("A: b\r\ncontent-length:5\r\nC: d\r\n", id="middle"),
        pytest.param("SET-COOKIE: a=b \r\nset-cookie: c=d\t\r\n", id="blanks-behind"),
        pytest.param("Transfer-Encoding: \t chunked\r\n", id="blanks-before"),
        pytest.param("Connection:\r\nConnection: close\r\n", id="empty"),
        pytest.param(
            "X-Content-Length: 1\r\nContent-Length-X: 2\r\nContent: 3\r\n", id="like"
        ),
        pytest.param("A: Content-Length: 5\r\nB: \u017fet-cookie: a\r\n", id="inside"),
        pytest.param(
            "content-encoding: gzip\r\nX: y \r\nCONTENT-LENGTH: 7\r\n", id="two"
        ),
    ],
)
def test_telling_fields_are_those_of_their_names_in_wire_order(fields: str) -> None:
    head = parse_regular_head(f"HTTP/1.1 200 OK\r\n{fields}", DEFAULT_LIMITS)
    assert head is not None
    assert head.telling == [
        field for field in head.fields if field[0].lower() in TELLING
    ]
    assert len(head.fields) == fields.count("\r\n")
    assert head.fields is head.fields or not head.fields


def test_a_status_line_is_no_field() -> None:
    text = "HTTP/1.1 200 x\r\nA: b\r\n"
    head = parse_regular_head(text, DEFAULT_LIMITS)
    assert head is not None
    assert (head.telling, head.fields) == ([], [("A", "b")])
