"""The request reader, on every way of cutting its input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windtunnel_fakeserver._wire.request_reader import RequestReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windtunnel_fakeserver import Request

NEXT = b"GET /next HTTP/1.1\r\nHost: n\r\n\r\n"


def reader() -> RequestReader:
    return RequestReader(lambda: 2.5, 3, "http://a.test")


def feed_all(found: RequestReader, pieces: Iterator[bytes]) -> list[Request]:
    requests: list[Request] = []
    for piece in pieces:
        found.feed(piece)
        while (request := found.take_request()) is not None:
            requests.append(request)
    return requests


def cuts(data: bytes) -> Iterator[tuple[str, list[bytes]]]:
    yield "whole", [data]
    yield "byte by byte", [data[i : i + 1] for i in range(len(data))]
    for at in range(1, len(data)):
        yield f"cut at {at}", [data[:at], data[at:]]


def read_every_way(raw: bytes) -> Request:
    """Read one request whole, in bytes, cut anywhere, alone and with another behind."""
    [expected] = feed_all(reader(), iter([raw]))
    assert expected.raw == raw
    for name, pieces in cuts(raw):
        assert feed_all(reader(), iter(pieces)) == [expected], name
    for name, pieces in cuts(raw + NEXT):
        found = feed_all(reader(), iter(pieces))
        assert [r.raw for r in found] == [raw, NEXT], name
        assert found[0] == expected, name
        assert found[1].exchange == 1, name
    return expected


def test_a_plain_request_is_recorded_with_its_stamps() -> None:
    raw = b"GET /a?b=1 HTTP/1.1\r\nHost: a.test\r\nX-Odd-Case:  v \r\n\r\n"
    request = read_every_way(raw)
    assert (request.method, request.target, request.version) == (
        "GET",
        "/a?b=1",
        "HTTP/1.1",
    )
    assert request.headers == [("Host", "a.test"), ("X-Odd-Case", "v")]
    assert (request.connection, request.exchange, request.time) == (3, 0, 2.5)
    assert request.server == "http://a.test"
    assert request.body == b""
    assert request.complete
    assert request.notes == ()


@pytest.mark.parametrize(
    ("raw", "body", "notes"),
    [
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
            b"hello",
            (),
            id="length",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nX: content-length\r\n\r\n", b"", (), id="no-body"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"", (), id="zero"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
            b"hi",
            ("repeated Content-Length values '2, 2' (RFC 9112 6.3)",),
            id="equal-lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 2, 3\r\n\r\nhi",
            b"hi",
            ("different Content-Length values '2, 3' (RFC 9112 6.3)",),
            id="different-lengths-first-wins",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\n",
            b"",
            ("Content-Length '+2' is not digits (RFC 9112 6.3)",),
            id="length-with-sign",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n",
            b"",
            ("Content-Length '\u00b2' is not digits (RFC 9112 6.3)",),
            id="length-in-superscript",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
            b"5\r\nhello\r\n00A;x=y\r\n worlds ok\r\n0\r\n\r\n",
            b"hello worlds ok",
            (),
            id="chunked",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            b"",
            (),
            id="chunked-empty",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2 ;x\nhi\n0\r\n\n",
            b"hi",
            (
                "body byte 4: bare LF in chunked framing (RFC 9112 7.1)",
                "body byte 0: space before a chunk extension (RFC 9112 7.1.1)",
                "body byte 7: bare LF in chunked framing (RFC 9112 7.1)",
                "body byte 11: bare LF in chunked framing (RFC 9112 7.1)",
            ),
            id="chunked-bare-lf",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 9\r\n\r\n"
            b"1\r\na\r\n0\r\n\r\n",
            b"a",
            ("Transfer-Encoding together with Content-Length (RFC 9112 6.1)",),
            id="chunked-and-length",
        ),
        pytest.param(
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            b"",
            (
                "Transfer-Encoding in an HTTP/1.0 request (RFC 9112 6.1)",
                "chunked is applied more than once (RFC 9112 6.1)",
            ),
            id="chunked-twice-in-http-1.0",
        ),
        pytest.param(
            b"GET / HTTP/1.1\nHost: a\n\n",
            b"",
            (
                "byte 14: bare LF ends a line (RFC 9112 2.2)",
                "byte 22: bare LF ends a line (RFC 9112 2.2)",
                "byte 23: bare LF ends the head (RFC 9112 2.2)",
            ),
            id="bare-lf-head",
        ),
        pytest.param(
            b"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"",
            ("byte 0: empty line before the request line (RFC 9112 2.2)",),
            id="empty-lines-first",
        ),
        pytest.param(
            b"GET /a b HTTP/1.1\r\n\r\n",
            b"",
            (
                "byte 0: request line 'GET /a b HTTP/1.1' is not three parts "
                "(RFC 9112 3)",
                "byte 0: target '/a b' is not plain ASCII (RFC 9112 3.2)",
            ),
            id="space-in-target",
        ),
        pytest.param(
            b"GET /\r\n\r\n",
            b"",
            (
                "byte 0: request line 'GET /' is not three parts (RFC 9112 3)",
                "byte 0: version '' is not HTTP/d.d (RFC 9112 2.3)",
            ),
            id="no-version",
        ),
        pytest.param(
            b"G@T /\xe9 HTTP/9\r\n\r\n",
            b"",
            (
                "byte 0: method 'G@T' is not a token (RFC 9110 9.1)",
                "byte 0: target '/\u00e9' is not plain ASCII (RFC 9112 3.2)",
                "byte 0: version 'HTTP/9' is not HTTP/d.d (RFC 9112 2.3)",
            ),
            id="everything-odd",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nnothing\r\nX : 1\r\nY: a\x00b\r\n\r\n",
            b"",
            (
                "byte 16: field line 'nothing' has no colon (RFC 9112 5)",
                "byte 25: field name 'X ' is not a token (RFC 9112 5.1)",
                "byte 32: value 'a\\x00b' has control characters (RFC 9110 5.5)",
            ),
            id="odd-fields",
        ),
    ],
)
def test_bodies_and_oddities_are_recorded_and_noted(
    raw: bytes, body: bytes, notes: tuple[str, ...]
) -> None:
    request = read_every_way(raw)
    assert request.body == body
    assert request.notes == notes


def test_duplicate_fields_and_spacing_stay_as_they_came() -> None:
    request = read_every_way(b"GET / HTTP/1.1\r\na:1\r\nA:\t 2\t\r\na: \r\n\r\n")
    assert request.headers == [("a", "1"), ("A", "2"), ("a", "")]
    assert request.header_values("A") == ["1", "2", ""]


def test_a_folded_field_line_keeps_its_fold() -> None:
    request = read_every_way(b"GET / HTTP/1.1\r\na: 1\r\n\t2\r\nb: 3\r\n\r\n")
    assert request.headers == [("a", "1\r\n\t2"), ("b", "3")]
    assert request.notes == ("byte 22: folded field line (RFC 9112 5.2)",)


def test_trailers_are_recorded() -> None:
    request = read_every_way(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\nx\r\n0\r\nX-Sum: 42 \r\n\r\n"
    )
    assert request.trailers == (("X-Sum", "42"),)


@pytest.mark.parametrize(
    ("framing", "kept", "note"),
    [
        pytest.param(
            b"zz\r\nhello",
            b"",
            "body byte 0: chunk size b'zz' is not hex digits (RFC 9112 7.1)",
            id="size",
        ),
        pytest.param(
            b"\r\n",
            b"",
            "body byte 0: chunk size b'' is not hex digits (RFC 9112 7.1)",
            id="empty-size",
        ),
        pytest.param(
            b"11111111111111111\r\n",
            b"",
            "body byte 0: chunk size b'11111111111111111' is not hex digits "
            "(RFC 9112 7.1)",
            id="size-too-large",
        ),
        pytest.param(
            b"2\r\nhiXX\r\n0\r\n\r\n",
            b"hi",
            "body byte 5: b'XX' where CRLF ends a chunk (RFC 9112 7.1)",
            id="chunk-end",
        ),
    ],
)
def test_broken_chunks_end_the_reading_and_say_where(
    framing: bytes, kept: bytes, note: str
) -> None:
    found = reader()
    found.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + framing)
    request = found.take_request()
    assert request is not None
    assert request.body == kept
    assert request.notes == (note,)
    assert not request.complete
    assert found.broken


def test_a_coding_that_does_not_end_in_chunked_has_no_end() -> None:
    found = reader()
    found.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc")
    request = found.take_request()
    assert request is not None
    assert request.notes == (
        "Transfer-Encoding 'gzip' does not end in chunked (RFC 9112 6.3)",
    )
    assert found.broken
    assert bytes(found.buffer) == b"abc"


def test_a_head_can_be_read_before_its_body_and_the_rest_afterwards() -> None:
    found = reader()
    found.feed(b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab")
    head = found.take_head()
    assert head is not None
    assert not head.complete
    assert head.raw.endswith(b"\r\n\r\n")
    assert found.pending
    assert found.take_request() is None
    found.feed(b"c")
    whole = found.take_request()
    assert whole is not None
    assert whole.body == b"abc"
    assert whole.exchange == head.exchange == 0
    assert not found.pending


def test_plain_reads_take_the_body_over() -> None:
    found = reader()
    found.feed(b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab")
    assert found.take_head() is not None
    assert found.take(3) is None
    assert found.take(1) == b"a"
    assert not found.pending
    assert found.take_some(10) == b"b"
    assert found.take_some(10) == b""


@pytest.mark.parametrize(
    ("framing", "sent", "body", "note"),
    [
        pytest.param(
            b"Content-Length: 9",
            b"abc",
            b"abc",
            "the client ended early: 3 of 9 body bytes had arrived",
            id="length",
        ),
        pytest.param(
            b"Transfer-Encoding: chunked",
            b"3\r\nabc\r\n5\r\nde",
            b"abcde",
            "the client ended early: the last chunk had not arrived, 5 body bytes had",
            id="chunked",
        ),
    ],
)
def test_a_request_that_was_cut_keeps_what_came(
    framing: bytes, sent: bytes, body: bytes, note: str
) -> None:
    found = reader()
    raw = b"PUT / HTTP/1.1\r\n" + framing + b"\r\n\r\n" + sent
    found.feed(raw)
    assert found.take_request() is None
    request = found.cut_request()
    assert request is not None
    assert (request.body, request.raw, request.notes) == (body, raw, (note,))
    assert not request.complete
    assert found.cut_request() is None


def test_a_head_that_trickles_in_is_not_searched_from_its_start() -> None:
    found = reader()
    found.feed(b"GET / HTTP/1.1\r\nx: ")
    for _ in range(3):
        found.feed(b"y" * 10)
        assert found.take_head() is None
    found.feed(b"\r\n\r")
    assert found.take_head() is None
    found.feed(b"\n")
    assert found.take_head() is not None
