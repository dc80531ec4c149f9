"""When an exchange has to give up: the timeout settings and the arithmetic on them.

What comes in: seconds, and the time on the loop's clock. What goes out: absolute times
on the same clock, ``math.inf`` for «never». This module must not know any clock or
timer: ``_transport`` keeps one timer and asks here when to wake up.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf, isnan
from typing import SupportsFloat

from windtunnel._base.typedefs import shown

__all__ = (
    "DEFAULT_TIMEOUT",
    "NEVER",
    "ClientTimeout",
    "checked_seconds",
    "deadline_at",
    "earliest",
)

NEVER = inf


@dataclass(frozen=True, slots=True)
class ClientTimeout:
    """How long each part of an exchange may take.

    All values are seconds; None and 0 switch a check off.

    Attributes:
        total: From the call to the end of the body, redirects and retries included.
        connect: Waiting for a place in the pool and making the connection.
        sock_read: Silence between two portions of data from the server.
        sock_connect: One attempt to connect, TCP and TLS, not DNS.
        ceil_threshold: Deadlines this far away or farther are moved up to a whole
            second of the loop's clock, so that many of them share one wake-up. Not that
            of ``sock_read``.

    Raises:
        TypeError: A value is not a number.
        ValueError: A value is negative or not a number in the sense of IEEE 754.

    Compat: aiohttp has the same fields in the same order, ``sock_read`` before
    ``sock_connect``; it takes any value and reads a negative one as «off».
    """

    total: float | None = None
    connect: float | None = None
    sock_read: float | None = None
    sock_connect: float | None = None
    ceil_threshold: float = 5

    def __post_init__(self) -> None:
        for name in _NAMES:
            value = getattr(self, name)
            if value is None and name != "ceil_threshold":
                continue
            checked = checked_seconds(name, value)
            if checked is not value:
                # The dataclass is frozen, and Decimal does not add to float.
                object.__setattr__(self, name, checked)


_NAMES = tuple(field.name for field in fields(ClientTimeout))


def checked_seconds(name: str, value: object) -> float:
    """Return a number of seconds, or say what is wrong with it.

    Raises:
        TypeError: It is not a number.
        ValueError: It is negative or NaN.
    """
    # The usual types first: a protocol is slow to ask, and many programs make a
    # ClientTimeout for each request.
    if isinstance(value, (int, float)):
        seconds = value
    elif isinstance(value, SupportsFloat):
        seconds = float(value)
    else:
        msg = (
            f"{name}={shown(value)} is not a number of seconds; "
            f"allowed are int and float"
        )
        raise TypeError(msg)
    if seconds < 0 or isnan(seconds):
        msg = f"{name}={value!r} is not a time span; allowed are 0 (off) and more"
        raise ValueError(msg)
    return seconds


#: What a session uses if nothing is said.
DEFAULT_TIMEOUT = ClientTimeout(total=300, sock_connect=30)


def deadline_at(now: float, seconds: float | None, ceil_threshold: float = 5) -> float:
    """Say at which time a check of ``seconds`` that starts now runs out.

    Args:
        now: Time on the loop's clock.
        seconds: Length of the check; None and 0 mean that there is none.
        ceil_threshold: A check of this length or more ends at a whole second.

    Returns:
        A time on the loop's clock, ``NEVER`` (infinity) if there is no check. It is
        never earlier than ``now + seconds`` and less than one second later.

    Compat: aiohttp rounds ``connect`` and ``sock_connect`` only above the threshold;
    here one rule holds for all. ``sock_read`` is not rounded: it does not come here.
    """
    if not seconds:
        return NEVER
    when = now + seconds
    if seconds >= ceil_threshold and when != NEVER:
        return -(-when // 1.0)
    return when


def earliest(first: tuple[float, str], second: tuple[float, str]) -> tuple[float, str]:
    """Say which of two deadlines, each a time and a name, comes first.

    Of equal times it is the first given.
    """
    return second if second[0] < first[0] else first
