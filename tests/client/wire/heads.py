"""Response heads of all kinds, and ways to read them."""

from __future__ import annotations

import pytest

from tests.client.support import cuts
from windtunnel._wire.head import Head, parse_regular_head
from windtunnel._wire.head_exact import HeadReader
from windtunnel._wire.limits import DEFAULT_LIMITS, Limits
from windtunnel._wire.violation import WireError

NO_FIELDS: list[tuple[str, str]] = []
Facts = tuple[int, str, int, list[tuple[str, str]]]

SMALL = Limits(max_line_size=20, max_field_size=80, max_headers=3)


def facts(head: Head) -> Facts:
    return head.status, head.reason, head.minor, head.fields


def read_fast(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Facts | None:
    assert data.endswith(b"\r\n\r\n")
    head = parse_regular_head(data[:-2].decode("utf-8", "surrogateescape"), limits)
    return None if head is None else facts(head)


def read_slowly(pieces: list[bytes], limits: Limits = DEFAULT_LIMITS) -> Facts:
    """Feed a reader; say what it read. Every piece but the last leaves it hungry."""
    reader = HeadReader(limits)
    for piece in pieces[:-1]:
        assert reader.feed(piece) == -1
    assert reader.feed(pieces[-1]) >= 0
    return facts(reader.head)


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
