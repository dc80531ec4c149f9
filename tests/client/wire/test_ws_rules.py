"""Close codes: which of them a frame may carry."""

from __future__ import annotations

import pytest

from windtunnel._wire.violation import WireError
from windtunnel._wire.ws_rules import INVALID_DATA, FrameError, may_be_on_the_wire


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        pytest.param(0, 999, False, id="below"),
        pytest.param(1000, 1003, True, id="of-the-rfc"),
        pytest.param(1004, 1006, False, id="reserved"),
        pytest.param(1007, 1014, True, id="registered"),
        pytest.param(1015, 2999, False, id="local-or-unassigned"),
        pytest.param(3000, 4999, True, id="of-libraries-and-applications"),
        pytest.param(5000, 65535, False, id="above"),
    ],
)
def test_a_close_code_may_be_on_the_wire_or_not(
    first: int, last: int, expected: bool
) -> None:
    assert {may_be_on_the_wire(code) for code in range(first, last + 1)} == {expected}


def test_a_broken_frame_names_the_code_that_tells_the_peer() -> None:
    error = FrameError(INVALID_DATA, "no text", rule="RFC 6455 section 8.1", offset=3)
    assert isinstance(error, WireError)
    assert (error.code, error.offset) == (1007, 3)
    assert str(error) == "no text at byte 3 (RFC 6455 section 8.1)"
