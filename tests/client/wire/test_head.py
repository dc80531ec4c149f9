"""Response heads: the fast parser, the careful one, and that they agree."""

from __future__ import annotations

import pytest

from tests.client.support import cuts
from windtunnel._wire.head import Head, parse_regular_head
from windtunnel._wire.head_exact import HeadReader
from windtunnel._wire.limits import DEFAULT_LIMITS, Limits
from windtunnel._wire.violation import WireError

NO_FIELDS: list[tuple[str, str]] = []
Facts = tuple[int, str, int, list[tuple[str, str]]]


def facts(head: Head) -> Facts:
    return head.status, head.reason, head.minor, head.fields


def read_slowly(pieces: list[bytes], limits: Limits = DEFAULT_LIMITS) -> Facts:
    """Feed a reader; say what it read. Every piece but the last leaves it hungry."""
    reader = HeadReader(limits)
    for piece in pieces[:-1]:
        assert reader.feed(piece) == -1
    assert reader.feed(pieces[-1]) >= 0
    return facts(reader.head)


def read_fast(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Facts | None:
    assert data.endswith(b"\r\n\r\n")
    head = parse_regular_head(data[:-2].decode("utf-8", "surrogateescape"), limits)
    return None if head is None else facts(head)


def failure(data: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[str, str, int]:
    """Say how a head is refused: the same for every cut of its bytes."""
    seen: set[tuple[str, str, int]] = set()
    for pieces in cuts(data):
        reader = HeadReader(limits)
        with pytest.raises(WireError) as caught:  # noqa: PT012  # one of the pieces
            for piece in pieces:
                reader.feed(piece)
            pytest.fail(f"taken: {pieces!r}")
        seen.add((caught.value.text, caught.value.rule, caught.value.offset))
    assert len(seen) == 1
    return seen.pop()


REGULAR = [
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA: b\r\nC-D: e f\r\n\r\n",
        (200, "OK", 1, [("A", "b"), ("C-D", "e f")]),
        id="plain",
    ),
    pytest.param(
        b"HTTP/1.0 404 Not Found\r\n\r\n", (404, "Not Found", 0, NO_FIELDS), id="1.0"
    ),
    pytest.param(
        b"HTTP/1.1 200\r\n\r\n", (200, "", 1, NO_FIELDS), id="no-reason-no-blank"
    ),
    pytest.param(b"HTTP/1.1 200 \r\n\r\n", (200, "", 1, NO_FIELDS), id="no-reason"),
    pytest.param(b"HTTP/1.2 200 OK\r\n\r\n", (200, "OK", 2, NO_FIELDS), id="minor-2"),
    pytest.param(b"HTTP/1.1 999 x\r\n\r\n", (999, "x", 1, NO_FIELDS), id="999"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA:  b \t\r\nB:\r\nC:c\r\n\r\n",
        (200, "OK", 1, [("A", "b"), ("B", ""), ("C", "c")]),
        id="blanks-around-values",
    ),
    pytest.param(
        b"HTTP/1.1 200 \xe4\r\nA: \xff\xc3\xa4\r\n\r\n",
        (200, "\udce4", 1, [("A", "\udcff\xe4")]),
        id="bytes-that-are-not-ascii",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\na: 1\r\nA: 2\r\n\r\n",
        (200, "OK", 1, [("a", "1"), ("A", "2")]),
        id="repeats-keep-order-and-case",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA: b\x01\x7f:c\r\n\r\n",
        (200, "OK", 1, [("A", "b\x01\x7f:c")]),
        id="other-control-characters-are-kept",
    ),
]


@pytest.mark.parametrize(("data", "expected"), REGULAR)
def test_a_regular_head_is_read_the_same_fast_and_in_every_cut(
    data: bytes, expected: Facts
) -> None:
    assert read_fast(data) == expected
    for pieces in cuts(data):
        assert read_slowly(pieces) == expected


def test_bytes_after_the_head_are_left_alone() -> None:
    data = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    for pieces in cuts(data):
        pieces[-1] += b"rest"
        reader = HeadReader(DEFAULT_LIMITS, 10)
        for piece in pieces[:-1]:
            reader.feed(piece)
        assert reader.feed(pieces[-1]) == len(pieces[-1]) - 4
        assert reader.end_offset == 10 + len(data)


LENIENT = [
    pytest.param(
        b"HTTP/1.1 200 OK\nA: b\nC: d\r\n\n",
        (200, "OK", 1, [("A", "b"), ("C", "d")]),
        id="bare-line-feeds",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA: b\r\n  c\r\n\td\r\nE: f\r\n\r\n",
        (200, "OK", 1, [("A", "b c d"), ("E", "f")]),
        id="folded-lines-become-one-blank",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA:\r\n b\r\n\r\n",
        (200, "OK", 1, [("A", "b")]),
        id="folded-after-an-empty-value",
    ),
]


@pytest.mark.parametrize(("data", "expected"), LENIENT)
def test_what_a_user_agent_may_take_is_left_to_the_careful_reader(
    data: bytes, expected: Facts
) -> None:
    if data.endswith(b"\r\n\r\n"):
        assert read_fast(data) is None
    for pieces in cuts(data):
        assert read_slowly(pieces) == expected


REFUSED = [
    pytest.param(b"HTTP/1.1 20 OK\r\n", "RFC 9112 section 4", 0, id="two-digits"),
    pytest.param(b"HTTP/1.1 2000 OK\r\n", "RFC 9112 section 4", 0, id="four-digits"),
    pytest.param(b"HTTP/1.1 099 OK\r\n", "RFC 9112 section 4", 0, id="below-100"),
    pytest.param(b"HTTP/1.1  200 OK\r\n", "RFC 9112 section 4", 0, id="two-blanks"),
    pytest.param(b"HTTP/1.1\t200 OK\r\n", "RFC 9112 section 4", 0, id="tab"),
    pytest.param(b"HTTP/1.10 200 OK\r\n", "RFC 9112 section 4", 0, id="1.10"),
    pytest.param(b"HTTP/2.0 200 OK\r\n", "RFC 9112 section 4", 5, id="2.0"),
    pytest.param(b"http/1.1 200 OK\r\n", "RFC 9112 section 4", 0, id="lower-case"),
    pytest.param(b"ICY 200 OK\r\n", "RFC 9112 section 4", 0, id="icy"),
    pytest.param(b"hello", "RFC 9112 section 4", 0, id="http-0.9"),
    pytest.param(b"\r\nHTTP/1.1 200 OK\r\n", "RFC 9112 section 4", 0, id="empty-line"),
    pytest.param(b"HTTP/1.1 200 O\0K\r\n", "RFC 9110 section 5.5", 14, id="nul-reason"),
    pytest.param(b"HTTP/1.1 200 O\rK\r\n", "RFC 9112 section 2.2", 14, id="cr-reason"),
    pytest.param(b"HTTP/1.1 200 OK\r\nA\r\n", "RFC 9112 section 5", 17, id="no-colon"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\n: b\r\n", "RFC 9110 section 5.1", 17, id="empty-name"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA : b\r\n",
        "RFC 9112 section 5.1",
        18,
        id="blank-before-colon",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA(b: c\r\n", "RFC 9110 section 5.1", 18, id="bad-name"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA b: c\r\n", "RFC 9110 section 5.1", 18, id="blank-inside"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA: b\0\r\n", "RFC 9110 section 5.5", 21, id="nul-value"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA: b\rc\r\n", "RFC 9112 section 2.2", 21, id="cr-value"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\0\r\n",
        "RFC 9110 section 5.5",
        25,
        id="nul-in-fold",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\n A: b\r\n", "RFC 9112 section 2.2", 17, id="first-folded"
    ),
]


@pytest.mark.parametrize(("data", "rule", "offset"), REFUSED)
def test_a_malformed_head_is_refused_with_rule_and_offset_in_every_cut(
    data: bytes, rule: str, offset: int
) -> None:
    assert failure(data)[1:] == (rule, offset)
    assert read_fast(data.rstrip(b"\r\n") + b"\r\n\r\n") is None


def test_an_error_says_what_was_seen_and_where() -> None:
    reader = HeadReader(DEFAULT_LIMITS)
    with pytest.raises(WireError) as caught:
        reader.feed(b"HTTP/1.1 OK\r\n")
    assert str(caught.value) == (
        "status line b'HTTP/1.1 OK' is not 'HTTP/1.x' and a status of 100 to 999 "
        "at byte 0 (RFC 9112 section 4)"
    )


SMALL = Limits(max_line_size=20, max_field_size=80, max_headers=3)


def test_a_status_line_at_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    assert read_slowly([b"HTTP/1.1 200 " + b"x" * 7 + b"\r\n\r\n"], SMALL)[0] == 200
    _, rule, offset = failure(b"HTTP/1.1 200 " + b"x" * 8 + b"\r\n", SMALL)
    assert (rule, offset) == ("limit max_line_size, RFC 9112 section 4", 20)
    assert read_fast(b"HTTP/1.1 200 " + b"x" * 8 + b"\r\n\r\n", SMALL) is None


@pytest.mark.parametrize(
    "field",
    [
        pytest.param(b"A: " + b"b" * 80, id="value"),
        pytest.param(b"A" * 80 + b":b", id="name"),
        pytest.param(b"A: b\r\n " + b"c" * 78, id="folded"),
        pytest.param(b"A:" + b" " * 160 + b"b", id="blanks"),
    ],
)
def test_a_field_of_one_byte_over_the_limit_is_refused(field: bytes) -> None:
    rule = failure(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\n", SMALL)[1]
    assert rule == "limit max_field_size, RFC 9110 section 5.4"


def test_a_field_at_the_limit_is_taken() -> None:
    data = b"HTTP/1.1 200 OK\r\nA:  " + b"b" * 79 + b" \r\n\r\n"
    for pieces in cuts(data):
        assert len(read_slowly(pieces, SMALL)[3][0][1]) == 79


def test_more_fields_than_the_limit_are_refused() -> None:
    data = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 4
    _, rule, offset = failure(data, SMALL)
    assert (rule, offset) == ("limit max_headers, RFC 9110 section 5.4", 35)
    few = Limits(max_headers=1)
    assert read_fast(b"HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n", few) is None
