"""Response heads, the fast way: it reads what is regular, and leaves the rest."""

from __future__ import annotations

import pytest

from tests.client.wire.heads import LENIENT, REFUSED, REGULAR, SMALL, Facts, read_fast
from windtunnel._wire.limits import DEFAULT_LIMITS, Limits


@pytest.mark.parametrize(("data", "expected"), REGULAR)
def test_a_regular_head_is_read(data: bytes, expected: Facts) -> None:
    assert read_fast(data) == expected


@pytest.mark.parametrize(("data", "expected"), LENIENT)
def test_what_a_user_agent_may_take_is_left_to_the_careful_reader(
    data: bytes, expected: Facts
) -> None:
    assert expected[0] == 200
    assert not data.endswith(b"\r\n\r\n") or read_fast(data) is None


@pytest.mark.parametrize(("data", "rule", "offset"), REFUSED)
def test_a_malformed_head_is_left_to_the_careful_reader(
    data: bytes, rule: str, offset: int
) -> None:
    assert rule.startswith("RFC")
    assert offset <= len(data)
    assert read_fast(data.rstrip(b"\r\n") + b"\r\n\r\n") is None


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        pytest.param(b"HTTP/1.1 200 " + b"x" * 8 + b"\r\n\r\n", SMALL, id="line"),
        pytest.param(
            b"HTTP/1.1 200\r\nA: b\r\nC: d\r\n\r\n", Limits(max_headers=1), id="count"
        ),
        pytest.param(
            b"HTTP/1.1 200\r\nA: " + b"b" * 8200 + b"\r\n\r\n",
            DEFAULT_LIMITS,
            id="field",
        ),
    ],
)
def test_what_could_be_over_a_limit_is_left_to_the_careful_reader(
    data: bytes, limits: Limits
) -> None:
    assert read_fast(data, limits) is None
