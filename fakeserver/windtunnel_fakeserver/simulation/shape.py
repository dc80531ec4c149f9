"""The shape of traffic: how long one way takes, and into which segments bytes fall.

In: settings and named random streams. Out: delays in seconds and pieces of bytes. Every
choice for one connection, direction and purpose comes from a stream of its own, so that
more traffic on one connection does not change another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windtunnel_fakeserver.simulation.tcp import Pipe

__all__ = ["Latency", "Shape", "Split"]

Latency = float | tuple[float, float] | Callable[[Random], float]
"""One-way delay in seconds: constant, uniform between two bounds, or drawn."""

Split = int | str | Callable[[Random, int], Iterable[int]] | None
"""Segment sizes: None sends each write whole, an int is the largest size, ``"random"``
draws sizes from 1 byte up, a function gets a stream and a length and gives sizes."""


class Shape:
    """Latency and segment splitting of one network."""

    def __init__(
        self, stream: Callable[[str], Random], latency: Latency, split: Split
    ) -> None:
        """Check the settings.

        Raises:
            ValueError: A delay is negative, a size is below 1, or a word is unknown.
        """
        if isinstance(split, int) and split < 1:
            raise ValueError(f"split {split!r} must be at least 1 byte")
        if isinstance(split, str) and split != "random":
            raise ValueError(
                f"split {split[:40]!r} is unknown, allowed are None, a size in bytes, "
                f"'random' and a function"
            )
        self._stream = stream
        self._constant = latency if isinstance(latency, (int, float)) else None
        self._draw = _drawn(latency)
        self._split = split

    def delay(self, purpose: str) -> float:
        """Draw one delay for something that is not (yet) a connection."""
        if self._constant is not None:
            return self._constant
        return max(0.0, self._draw(self._stream(f"{purpose}/latency")))

    def pipe_delay(self, pipe: Pipe) -> float:
        """Draw one delay for one direction of a connection."""
        if self._constant is not None:
            return self._constant
        return self.delay(f"{pipe.number}/{pipe.direction}")

    def pieces(self, pipe: Pipe, data: bytes) -> Iterable[bytes]:
        """Cut the bytes of one write into segments."""
        if self._split is None:
            return (data,) if data else ()
        return self._cut(pipe, data)

    def _cut(self, pipe: Pipe, data: bytes) -> Iterator[bytes]:
        offset = 0
        for size in self._sizes(pipe, len(data)):
            if size > 0 and offset < len(data):
                yield data[offset : offset + size]
                offset += size
        # A function may give too few sizes; the rest is one segment.
        if offset < len(data):
            yield data[offset:]

    def _sizes(self, pipe: Pipe, length: int) -> Iterable[int]:
        split = self._split
        if isinstance(split, int):
            return (split for _ in range(0, length, split))
        stream = self._stream(f"{pipe.number}/{pipe.direction}/split")
        if callable(split):
            return split(stream, length)
        return _random_sizes(stream, length)


def _drawn(latency: Latency) -> Callable[[Random], float]:
    if isinstance(latency, (int, float)):
        latency = (latency, latency)
    if callable(latency):
        return latency
    low, high = latency
    if not 0 <= low <= high:
        raise ValueError(
            f"latency {latency!r} is not allowed, allowed are seconds from 0 up or "
            f"(low, high) with 0 <= low <= high"
        )
    return lambda stream: stream.uniform(low, high)


def _random_sizes(stream: Random, length: int) -> Iterator[int]:
    while length > 0:
        # Small pieces find more bugs: every third segment is at most 8 bytes.
        largest = 8 if stream.random() < 0.33 else 4096
        size = stream.randint(1, min(length, largest))
        length -= size
        yield size
