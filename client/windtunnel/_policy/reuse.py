"""Whether to use something again: an idle connection, or a request that failed.

Facts come in, a yes or no goes out. No clock: the time is an argument.
"""

from __future__ import annotations

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


def is_fresh(idle_since: float, now: float, keepalive_seconds: float) -> bool:
    """Say whether a connection has not idled for too long.

    Args:
        idle_since: When its last response ended, on the loop's clock.
        now: The time on the same clock.
        keepalive_seconds: How long it may idle, infinity for any time.
    """
    # The same sum as that of the clean-up's timer, so that the two agree to the bit.
    return now < idle_since + keepalive_seconds


def may_retry(method: str, *, has_answer: bool, is_replayable: bool) -> bool:
    """Say whether a request whose connection broke may be sent once more.

    Args:
        method: Its method.
        has_answer: Whether any byte of an answer had come.
        is_replayable: Whether its body can be sent again.

    Spec: RFC 9110 section 9.2.2; RFC 9112 section 9.3.1.
    """
    return method in IDEMPOTENT_METHODS and is_replayable and not has_answer
