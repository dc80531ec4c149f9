"""Response heads line by line: every leniency, limit and error, in every cut."""

from __future__ import annotations

import pytest

from tests.client.support import cuts
from tests.client.wire.heads import (
    LENIENT,
    REFUSED,
    REGULAR,
    SMALL,
    Facts,
    failure,
    read_slowly,
)
from windtunnel._wire.framing import response_framing
from windtunnel._wire.head import parse_regular_head
from windtunnel._wire.head_exact import HeadReader, located
from windtunnel._wire.limits import DEFAULT_LIMITS
from windtunnel._wire.violation import WireError


@pytest.mark.parametrize(("data", "expected"), REGULAR)
def test_a_regular_head_is_read_the_same_in_every_cut(
    data: bytes, expected: Facts
) -> None:
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


@pytest.mark.parametrize(("data", "expected"), LENIENT)
def test_what_a_user_agent_may_take_is_taken(data: bytes, expected: Facts) -> None:
    for pieces in cuts(data):
        assert read_slowly(pieces) == expected


@pytest.mark.parametrize(("data", "rule", "offset"), REFUSED)
def test_a_malformed_head_is_refused_with_rule_and_offset_in_every_cut(
    data: bytes, rule: str, offset: int
) -> None:
    assert failure(data)[1:] == (rule, offset)


def test_an_error_says_what_was_seen_and_where() -> None:
    reader = HeadReader(DEFAULT_LIMITS)
    with pytest.raises(WireError) as caught:
        reader.feed(b"HTTP/1.1 OK\r\n")
    assert str(caught.value) == (
        "status line b'HTTP/1.1 OK' is not 'HTTP/1.x' and a status of 100 to 999 "
        "at byte 0 (RFC 9112 section 4)"
    )


def test_a_status_line_at_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    assert read_slowly([b"HTTP/1.1 200 " + b"x" * 7 + b"\r\n\r\n"], SMALL)[0] == 200
    _, rule, offset = failure(b"HTTP/1.1 200 " + b"x" * 8 + b"\r\n", SMALL)
    assert (rule, offset) == ("limit max_line_size, RFC 9112 section 4", 20)


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


def test_an_error_about_a_telling_field_names_the_place_of_its_line() -> None:
    raw = (
        b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 1\r\nC: d\r\n"
        b"content-length: 1\r\nContent-Length: 2\r\nConnection: close\r\n"
    )
    head = parse_regular_head(raw.decode(), DEFAULT_LIMITS)
    assert head is not None
    with pytest.raises(WireError) as caught:
        response_framing("GET", 200, 1, head.telling, 100)
    error = located(caught.value, head, raw, 100)
    assert error.offset == 100 + raw.index(b"Content-Length: 2")
    other = WireError("text", rule="rule", offset=3)
    assert located(other, head, raw, 100) is other
