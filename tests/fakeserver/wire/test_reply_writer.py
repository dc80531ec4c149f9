"""The reply writer says exactly what it is told."""

from __future__ import annotations

import pytest

from windtunnel_fakeserver._wire.reply_writer import status_of, write_chunk, write_head


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        pytest.param(200, None, b"HTTP/1.1 200 OK", id="usual"),
        pytest.param(299, None, b"HTTP/1.1 299 ", id="unknown"),
        pytest.param(404, "Gone fishing", b"HTTP/1.1 404 Gone fishing", id="own"),
        pytest.param(200, "", b"HTTP/1.1 200 ", id="none"),
    ],
)
def test_status_line(status: int, reason: str | None, line: bytes) -> None:
    assert write_head(status, reason, []) == line + b"\r\n\r\n"


def test_fields_go_out_in_order_even_broken_ones() -> None:
    head = write_head(200, None, [("b", "1"), ("a b", "\xe9\x00"), ("b", "2\r\n 3")])
    assert head == b"HTTP/1.1 200 OK\r\nb: 1\r\na b: \xe9\x00\r\nb: 2\r\n 3\r\n\r\n"


def test_text_beyond_latin_1_goes_out_as_utf8() -> None:
    assert "x: \u20ac".encode() in write_head(200, None, [("x", "\u20ac")])


def test_a_chunk_has_its_size_in_hex() -> None:
    assert write_chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", 200, id="full"),
        pytest.param(b"HTTP/1.1 404", 404, id="cut"),
        pytest.param(b"HTTP/1.1", None, id="too-short"),
        pytest.param(b"HTTP/1.1 20x", None, id="not-a-number"),
        pytest.param(b"ICY 200 OK", None, id="other-protocol"),
    ],
)
def test_the_status_of_raw_bytes_is_guessed_for_the_journal(
    data: bytes, status: int | None
) -> None:
    assert status_of(data) == status
