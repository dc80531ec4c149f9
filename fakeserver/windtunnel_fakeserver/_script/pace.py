"""The pace of a reply: pauses, delays at each moment, bytes per second.

Comes in: the author's words. Goes out: values between the bytes of a reply. Must not
know: clocks, connections, how a pause is waited for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windtunnel_fakeserver._script.plan import Piece

# Slices per second of a throttled body: small enough to be seen growing.
_SLICES = 10


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence between two pieces of a reply; ``seconds`` of loop time, >= 0."""

    seconds: float


def pause(seconds: float) -> Pause:
    """Make a silence to put between the pieces of a reply.

    Args:
        seconds: Loop time (virtual in a tunnel), >= 0.

    Raises:
        ValueError: The pause is negative or not a number.
    """
    if not seconds >= 0:
        msg = f"pause({seconds!r}): seconds must be >= 0"
        raise ValueError(msg)
    return Pause(float(seconds))


@dataclass(frozen=True, slots=True)
class Delay:
    """How long a reply takes at each of its moments, in seconds of loop time.

    Attributes:
        headers: Before the first byte of the head, >= 0.
        body: Between the head and the first byte of the body, >= 0; a reply without
            a body has no such moment.

    Raises:
        ValueError: One is negative or not a number.
    """

    headers: float = 0.0
    body: float = 0.0

    def __post_init__(self) -> None:
        for name, seconds in (("headers", self.headers), ("body", self.body)):
            if not 0 <= seconds < inf:
                msg = f"Delay({name}={seconds!r}): must be >= 0 seconds"
                raise ValueError(msg)


class Hold(ABC):
    """Something that a reply waits for before its next byte; a ``Gate`` is one.

    Attributes:
        name: For reports.
    """

    __slots__ = ()
    name: str

    @abstractmethod
    async def wait(self) -> None:
        """Return when the reply may go on."""


def checked_delay(delay: float | Delay) -> Delay:
    """Return what ``Reply(delay=...)`` was given; a number is before the head.

    Raises:
        ValueError: It is negative or not a number.
    """
    if isinstance(delay, Delay):
        return delay
    if not delay >= 0:
        msg = f"Reply delay {delay!r} is not >= 0 seconds"
        raise ValueError(msg)
    return Delay(float(delay))


def checked_rate(rate: float | None) -> float | None:
    """Return what ``Reply(throttle=...)`` was given.

    Raises:
        ValueError: It is not above zero, or has no end.
    """
    if rate is not None and not 0 < rate < inf:
        msg = f"Reply throttle {rate!r} is not > 0 bytes per second"
        raise ValueError(msg)
    return rate


def throttled(pieces: tuple[Piece, ...], rate: float) -> tuple[Piece, ...]:
    """Return pieces that take one second for each ``rate`` bytes.

    A slice is sent when a line of that speed would have brought its last byte, so
    the last byte of n comes n / rate seconds after the start.
    """
    size = max(int(rate / _SLICES), 1)
    slow: list[Piece] = []
    for piece in pieces:
        if not isinstance(piece, bytes):
            slow.append(piece)
            continue
        for start in range(0, len(piece), size):
            part = piece[start : start + size]
            slow += [Pause(len(part) / rate), part]
    return tuple(slow)
