"""What may be sent: the forms that are taken, and what is said about the others."""

from __future__ import annotations

from array import array
from typing import cast

import pytest

from windtunnel._websocket.payloads import (
    check_type,
    check_window,
    close_payload,
    control_payload,
    octets,
)


def test_a_control_frame_takes_text_and_bytes_of_125_octets() -> None:
    for form in ("\xe4" * 62, b"x" * 125, bytearray(b"ab"), memoryview(b"ab")):
        payload = control_payload(cast("bytes", form))
        assert payload == (form.encode() if isinstance(form, str) else bytes(form))
    with pytest.raises(
        ValueError, match="126 bytes in a control frame, allowed are 125"
    ):
        control_payload("\xe4" * 63)
    with pytest.raises(TypeError, match="data argument must be byte-ish"):
        control_payload(cast("bytes", 5))


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
def test_a_code_that_may_not_be_on_the_wire_is_shown(code: int) -> None:
    with pytest.raises(ValueError, match=f"code={code} may not be in a close frame"):
        close_payload(code, b"")


def test_a_reason_is_utf8_of_at_most_123_bytes() -> None:
    assert close_payload(1000, "h\xe4") == b"\x03\xe8h\xc3\xa4"
    assert len(close_payload(4999, b"x" * 123)) == 125
    with pytest.raises(ValueError, match="126 bytes in a control frame"):
        close_payload(1000, b"x" * 124)
    with pytest.raises(ValueError, match="of a close frame is not UTF-8"):
        close_payload(1000, b"\xff")


def test_a_window_is_9_to_15_bits_or_none() -> None:
    for bits in (None, 0, 9, 15):
        check_window(bits)
    for wrong in (-1, 8, 16):
        with pytest.raises(ValueError, match=f"compress={wrong} is not 0 or 9 to 15"):
            check_window(wrong)


def test_the_length_of_a_view_becomes_that_of_its_bytes() -> None:
    assert len(octets(memoryview(array("H", [1, 2])))) == 4
    assert octets(memoryview(b"abcdef")[::2]) == b"ace"
    plain = memoryview(b"ab")
    assert octets(plain) is plain


def test_another_type_is_named() -> None:
    check_type("a", str, "str")
    with pytest.raises(
        TypeError, match=r"data argument must be str \(<class 'bytes'>\)"
    ):
        check_type(b"a", str, "str")
