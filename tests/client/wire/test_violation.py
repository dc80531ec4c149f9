"""The error of the wire: what, where, by which rule."""

from __future__ import annotations

import pytest

from windtunnel._wire.violation import SEEN_BYTES, WireError, seen


def test_an_error_says_what_was_wrong_where_and_by_which_rule() -> None:
    error = WireError("this is not a head", rule="RFC 9112 section 4", offset=7)
    assert str(error) == "this is not a head at byte 7 (RFC 9112 section 4)"
    assert (error.text, error.rule, error.offset) == error.args


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"a\r\n", r"b'a\r\n'", id="short"),
        pytest.param(bytearray(b"a"), "b'a'", id="bytearray"),
        pytest.param(b"x" * 41, f"b'{'x' * SEEN_BYTES}'", id="cut"),
    ],
)
def test_bytes_of_a_peer_are_shown_as_a_literal_of_forty_at_most(
    value: bytes | bytearray, expected: str
) -> None:
    assert seen(value) == expected
