"""When a connection or a request may be used once more."""

from __future__ import annotations

import math

import pytest

from windtunnel._policy.reuse import is_fresh, may_retry


@pytest.mark.parametrize(
    ("now", "keepalive", "expected"),
    [
        (10.0, 5.0, True),
        (14.999, 5.0, True),
        (15.0, 5.0, False),
        (1e9, math.inf, True),
        (10.0, 0.0, False),
    ],
)
def test_a_connection_is_fresh_until_its_time_is_over(
    now: float, keepalive: float, expected: bool
) -> None:
    assert is_fresh(10.0, now, keepalive) is expected


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
def test_only_idempotent_unanswered_replayable_requests_are_repeated(
    method: str,
) -> None:
    assert may_retry(method, has_answer=False, is_replayable=True)
    assert not may_retry(method, has_answer=True, is_replayable=True)
    assert not may_retry(method, has_answer=False, is_replayable=False)
    assert not may_retry("POST", has_answer=False, is_replayable=True)
    assert not may_retry("PATCH", has_answer=False, is_replayable=True)
