"""Where a body ends and whether the connection outlives it: RFC 9112 section 6.3."""

from __future__ import annotations

import pytest

from windtunnel._wire.framing import BodyKind, response_framing
from windtunnel._wire.violation import WireError

Fields = list[tuple[str, str]]
NO_FIELDS: Fields = []
NO_OPTIONS: list[str] = []

LENGTH = BodyKind.LENGTH
CHUNKED = BodyKind.CHUNKED
CLOSE = BodyKind.CLOSE
NONE = BodyKind.NONE
BIG = "9223372036854775808"


@pytest.mark.parametrize(
    ("method", "status", "fields", "kind", "length"),
    [
        pytest.param("GET", 200, [("Content-Length", "5")], LENGTH, 5, id="length"),
        pytest.param("GET", 200, [("content-length", "0")], LENGTH, 0, id="zero"),
        pytest.param("GET", 200, [("Content-Length", "05")], LENGTH, 5, id="zeros"),
        pytest.param("GET", 200, [("Content-Length", "5, 5")], LENGTH, 5, id="list"),
        pytest.param(
            "GET",
            200,
            [("Content-Length", "5"), ("CONTENT-LENGTH", "5")],
            LENGTH,
            5,
            id="equal-repeats",
        ),
        pytest.param(
            "GET",
            200,
            [("Content-Length", "0" * 30 + "7")],
            LENGTH,
            7,
            id="many-leading-zeros",
        ),
        pytest.param(
            "GET",
            200,
            [("Content-Length", "9223372036854775807")],
            LENGTH,
            2**63 - 1,
            id="largest",
        ),
        pytest.param("GET", 200, NO_FIELDS, CLOSE, 0, id="nothing"),
        pytest.param(
            "GET", 200, [("Transfer-Encoding", "Chunked")], CHUNKED, 0, id="chunked"
        ),
        pytest.param("HEAD", 200, [("Content-Length", "5")], NONE, 0, id="head"),
        pytest.param("GET", 204, [("Content-Length", "5")], NONE, 0, id="204"),
        pytest.param("GET", 304, [("Content-Length", "x")], NONE, 0, id="304"),
        pytest.param("GET", 205, [("Content-Length", "5")], LENGTH, 5, id="205"),
    ],
)
def test_the_end_of_a_body_is_found_by_the_first_rule_that_fits(
    method: str, status: int, fields: Fields, kind: BodyKind, length: int
) -> None:
    assert response_framing(method, status, 1, fields)[:2] == (kind, length)


@pytest.mark.parametrize(
    "value",
    [
        "5, 6",
        "+5",
        "-1",
        "5;",
        "0x5",
        "5.0",
        "",
        "\u0665",
        "5,",
        "9" * 19,
        "9" * 40,
        BIG,
    ],
)
def test_a_length_that_is_not_one_number_is_refused_with_the_value_shown(
    value: str,
) -> None:
    with pytest.raises(WireError) as caught:
        response_framing("GET", 200, 1, [("Content-Length", value)], 7)
    assert caught.value.rule == "RFC 9112 section 6.3"
    assert caught.value.offset == 7


def test_two_different_lengths_are_refused_with_both_values_shown() -> None:
    fields = [("Content-Length", "5"), ("Content-Length", "6")]
    with pytest.raises(WireError, match="'5,6' has values that disagree"):
        response_framing("GET", 200, 1, fields)


@pytest.mark.parametrize(
    "codings",
    [
        ["gzip, chunked"],
        ["chunked, gzip"],
        ["chunked, chunked"],
        ["chunked", "chunked"],
        ["identity"],
        ["xchunked"],
        ["chun\u212aed"],
        ["\x0bchunked"],
        ['"chunked"'],
        [""],
    ],
)
def test_a_transfer_coding_that_is_not_chunked_alone_is_refused(
    codings: list[str],
) -> None:
    fields = [("Transfer-Encoding", coding) for coding in codings]
    with pytest.raises(WireError) as caught:
        response_framing("GET", 200, 1, fields)
    assert caught.value.rule == "RFC 9112 section 6.1"


@pytest.mark.parametrize("order", [1, -1])
def test_length_beside_transfer_coding_is_refused_in_either_order(order: int) -> None:
    fields = [("Transfer-Encoding", "chunked"), ("Content-Length", "5")][::order]
    with pytest.raises(WireError) as caught:
        response_framing("GET", 200, 1, fields)
    assert caught.value.rule == "RFC 9112 section 6.3"


@pytest.mark.parametrize(
    ("minor", "connection", "expected"),
    [
        pytest.param(1, NO_OPTIONS, True, id="1.1"),
        pytest.param(0, NO_OPTIONS, False, id="1.0"),
        pytest.param(2, NO_OPTIONS, True, id="1.2"),
        pytest.param(1, ["close"], False, id="close"),
        pytest.param(1, ["Foo, CLOSE"], False, id="close-in-list"),
        pytest.param(1, ["foo", "close"], False, id="close-in-second-line"),
        pytest.param(0, ["Keep-Alive"], True, id="1.0-keep-alive"),
        pytest.param(0, ["keep-alive, close"], False, id="close-beats-keep-alive"),
        pytest.param(1, ["closed"], True, id="another-word"),
    ],
)
def test_a_connection_is_kept_as_section_9_3_says(
    minor: int, connection: list[str], expected: bool
) -> None:
    fields = [("Content-Length", "0"), *(("Connection", c) for c in connection)]
    assert response_framing("GET", 200, minor, fields)[2] is expected


def test_a_connection_is_not_kept_after_a_body_that_ends_with_it() -> None:
    assert response_framing("GET", 200, 1, [("Connection", "keep-alive")])[2] is False


def test_a_connection_is_not_kept_after_chunks_in_http_1_0() -> None:
    fields = [("Transfer-Encoding", "chunked"), ("Connection", "keep-alive")]
    assert response_framing("GET", 200, 0, fields)[:3] == (CHUNKED, 0, False)


def test_content_codings_of_several_lines_are_one_list() -> None:
    fields = [("Content-Encoding", "gzip"), ("Content-Encoding", "br")]
    assert response_framing("GET", 200, 1, fields)[3] == ",gzip,br"


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        pytest.param([("A", "b"), ("Content-Length", "x")], 1, id="bad-length"),
        pytest.param(
            [
                ("content-length", "5"),
                ("A", "b"),
                ("Content-Length", "5"),
                ("Content-Length", "6"),
            ],
            3,
            id="the-length-that-disagrees",
        ),
        pytest.param([("A", "b"), ("Content-Length", "5,6")], 1, id="list"),
        pytest.param(
            [("Transfer-Encoding", "gzip"), ("A", "b"), ("TRANSFER-ENCODING", "x")],
            2,
            id="the-last-coding",
        ),
        pytest.param(
            [("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
            1,
            id="the-length-beside-a-coding",
        ),
    ],
)
def test_the_error_says_which_field_it_is(fields: Fields, number: int) -> None:
    with pytest.raises(WireError) as caught:
        response_framing("GET", 200, 1, fields)
    assert caught.value.field == number
