"""Chunked bodies: RFC 9112 section 7.1, strictly."""

from __future__ import annotations

import pytest

from tests.client.support import cuts
from windtunnel._wire.chunked import ChunkedReader
from windtunnel._wire.limits import DEFAULT_LIMITS, Limits
from windtunnel._wire.violation import WireError


class Sink:
    """Reads a chunked body from pieces, as a connection would from its buffer."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS, fields: int = 0) -> None:
        self.pieces: list[bytes] = []
        self.ends: list[int] = []
        self.size = 0
        self.reader = ChunkedReader(limits, self.deliver, 100, fields)

    def deliver(self, piece: bytes, is_end: bool) -> None:
        self.pieces.append(piece)
        self.size += len(piece)
        if is_end:
            self.ends.append(self.size)

    def feed(self, data: bytes) -> int:
        # Other bytes around: the reader must keep to its part of the buffer.
        buffer = bytearray(b"\n5\r\n" + data + b"\r\n0\r\n")
        stop = self.reader.feed(buffer, memoryview(buffer), 4, 4 + len(data))
        return stop if stop < 0 else stop - 4


def decode(pieces: list[bytes]) -> tuple[bytes, list[int]]:
    sink = Sink()
    for piece in pieces[:-1]:
        assert sink.feed(piece) == -1
    assert sink.feed(pieces[-1]) == len(pieces[-1])
    return b"".join(sink.pieces), sink.ends


NO_ENDS: list[int] = []
GOOD = [
    pytest.param(b"0\r\n\r\n", b"", NO_ENDS, id="empty"),
    pytest.param(b"3\r\nabc\r\n0\r\n\r\n", b"abc", [3], id="one"),
    pytest.param(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc", [1, 3], id="two"),
    pytest.param(b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", [10], id="upper"),
    pytest.param(b"a\r\n0123456789\r\n000\r\n\r\n", b"0123456789", [10], id="lower"),
    pytest.param(b"0003\r\nabc\r\n0\r\n\r\n", b"abc", [3], id="leading-zeros"),
    pytest.param(
        b"0000000000000003\r\nabc\r\n0\r\n\r\n", b"abc", [3], id="sixteen-digits"
    ),
    pytest.param(b"3;a\r\nabc\r\n0;b=c\r\n\r\n", b"abc", [3], id="extensions"),
    pytest.param(
        b'3 ; a = "x;\\"y" ;b\r\nabc\r\n0\r\n\r\n', b"abc", [3], id="quoted-extension"
    ),
    pytest.param(b"4\r\n\r\n0\r\r\n0\r\n\r\n", b"\r\n0\r", [4], id="line-ends-in-data"),
    pytest.param(b"1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", b"a", [1], id="trailers"),
    pytest.param(b"1\r\na\r\n0\r\nX: y\r\n z\r\n\r\n", b"a", [1], id="folded-trailer"),
]


@pytest.mark.parametrize(("data", "body", "ends"), GOOD)
def test_a_chunked_body_is_the_same_in_every_cut(
    data: bytes, body: bytes, ends: list[int]
) -> None:
    for pieces in cuts(data):
        assert decode(pieces) == (body, ends)


@pytest.mark.parametrize(("data", "body", "ends"), GOOD)
def test_bytes_after_a_chunked_body_are_left_alone(
    data: bytes, body: bytes, ends: list[int]
) -> None:
    sink = Sink()
    assert sink.feed(data + b"HTTP/1.1 200") == len(data)
    assert (b"".join(sink.pieces), sink.ends) == (body, ends)


def failure(data: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[str, str, int]:
    """Say how a body is refused: the same for every cut of its bytes."""
    seen: set[tuple[str, str, int]] = set()
    for pieces in cuts(data):
        sink = Sink(limits)
        with pytest.raises(WireError) as caught:  # noqa: PT012  # one of the pieces
            for piece in pieces:
                sink.feed(piece)
            pytest.fail(f"taken: {pieces!r}")
        seen.add((caught.value.text, caught.value.rule, caught.value.offset - 100))
    assert len(seen) == 1
    return seen.pop()


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        pytest.param(b"3\nabc\r\n", 1, id="bare-lf-after-size"),
        pytest.param(b"\r\n", 0, id="empty-size"),
        pytest.param(b"x\r\n", 0, id="no-digit"),
        pytest.param(b"0x3\r\nabc\r\n", 0, id="prefix"),
        pytest.param(b"-3\r\nabc\r\n", 0, id="negative"),
        pytest.param(b" 3\r\nabc\r\n", 0, id="blank-before"),
        pytest.param(b"3 \r\nabc\r\n", 0, id="blank-after"),
        pytest.param(b"3;\r\nabc\r\n", 0, id="empty-extension"),
        pytest.param(b'3;a="b\r\nabc\r\n', 0, id="line-end-in-quotes"),
        pytest.param(b"10000000000000003\r\n", 0, id="seventeen-digits"),
        pytest.param(b"8000000000000000\r\n", 0, id="two-to-the-63"),
        pytest.param(b"3\r\nabcd\r\n", 6, id="data-longer-than-size"),
        pytest.param(b"3\r\nabc\n", 6, id="bare-lf-after-data"),
        pytest.param(b"3\r\nabc\rx", 7, id="cr-after-data"),
        pytest.param(b"0\r\n\n", 3, id="bare-lf-at-the-end"),
        pytest.param(b"0\r\nX: y\n", 7, id="bare-lf-after-trailer"),
    ],
)
def test_broken_chunks_are_refused_at_their_offset(data: bytes, offset: int) -> None:
    assert failure(data)[1:] == ("RFC 9112 section 7.1", offset)


@pytest.mark.parametrize(
    ("data", "rule", "offset"),
    [
        pytest.param(b"0\r\nX\r\n", "RFC 9112 section 5", 3, id="no-colon"),
        pytest.param(b"0\r\nX : y\r\n", "RFC 9112 section 5.1", 4, id="blank"),
        pytest.param(b"0\r\n X: y\r\n", "RFC 9110 section 5.1", 3, id="first-folded"),
        pytest.param(b"0\r\nX: y\r\n \0\r\n", "RFC 9110 section 5.5", 10, id="nul"),
    ],
)
def test_a_broken_trailer_is_refused_like_a_header(
    data: bytes, rule: str, offset: int
) -> None:
    assert failure(data)[1:] == (rule, offset)


def test_a_size_line_over_the_limit_is_refused_before_it_ends() -> None:
    limits = Limits(max_line_size=10)
    _, rule, offset = failure(b"3;" + b"a" * 11 + b"\r\n", limits)
    assert (rule, offset) == ("limit max_line_size, RFC 9112 section 7.1.1", 10)


def test_a_trailer_over_the_limit_is_refused() -> None:
    rule = failure(b"0\r\nX: " + b"a" * 20, Limits(max_field_size=10))[1]
    assert rule == "limit max_field_size, RFC 9112 section 7.1.1"


def test_headers_and_trailers_together_have_one_limit() -> None:
    sink = Sink(Limits(max_headers=3), fields=2)
    sink.feed(b"0\r\nX: y\r\n")
    with pytest.raises(WireError, match="more than 3 header and trailer fields"):
        sink.feed(b"Z: y\r\n")


def test_many_tiny_chunks_with_long_extensions_are_refused() -> None:
    sink = Sink()
    chunk = b"1;" + b"x" * 1000 + b"\r\na\r\n"
    with pytest.raises(WireError) as caught:
        sink.feed(chunk * 20)
    assert caught.value.rule == "RFC 9112 section 7.1.1"
    assert len(sink.pieces) == 16


def test_many_tiny_chunks_without_extensions_are_taken() -> None:
    assert decode([b"1\r\na\r\n" * 20000 + b"0\r\n\r\n"])[0] == b"a" * 20000


def test_a_large_chunk_comes_in_pieces_of_64_kib() -> None:
    sink = Sink()
    sink.feed(b"2aaaa\r\n" + b"x" * 0x2AAAA + b"\r\n0\r\n\r\n")
    assert [len(piece) for piece in sink.pieces] == [65536, 65536, 0xAAAA]
    assert sink.ends == [0x2AAAA]
