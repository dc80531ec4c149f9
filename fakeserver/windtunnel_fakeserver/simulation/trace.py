"""The record of one run: what the network did, when, on which connection.

In: one call per network event. Out: the events, a digest that is equal for equal runs,
and a readable timeline. It must not hold anything that differs between equal runs: no
object ids, no ports of the operating system, no bytes (TLS bytes are random).
"""

from __future__ import annotations

import hashlib
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from windtunnel_fakeserver.simulation.compat import override

if TYPE_CHECKING:
    from windtunnel_fakeserver.simulation.clock import Clock

__all__ = ["Trace", "TraceEvent"]


class TraceEvent(NamedTuple):
    """One thing that happened on the simulated network.

    Attributes:
        time: Virtual seconds since the start of the world, rounded to 1 ns.
        connection: Connection number, from 0 in the order of opening; -1 if none.
        direction: ``">"`` client to server, ``"<"`` server to client, or empty.
        kind: ``dns``, ``connect`` (or the rule that applied: ``refuse``, ``hang``,
            ``unreachable``), ``refused``, ``open``, ``data`` (a segment arrived),
            ``read`` (the application took bytes), ``fin``, ``reset``, ``close``,
            ``note``.
        length: Bytes for ``data`` and ``read``, otherwise 0.
        text: A name or an address that is the same in every equal run.
    """

    time: float
    connection: int
    direction: str
    kind: str
    length: int
    text: str

    @override
    def __str__(self) -> str:
        where = f"{self.connection}{self.direction}" if self.connection >= 0 else ""
        size = f"{self.length} bytes" if self.length else ""
        words = f"{self.time:>12.6f}  {where:>4}  {self.kind:<8}  {size} {self.text}"
        return words.rstrip()


class Trace:
    """All events of one world, in the order in which they happened."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Plain tuples with the raw instant: rounding waits until somebody reads.
        self._raw: list[tuple[float, int, str, str, int, str]] = []

    def __len__(self) -> int:
        return len(self._raw)

    def add(
        self,
        kind: str,
        connection: int = -1,
        direction: str = "",
        length: int = 0,
        text: str = "",
    ) -> None:
        """Record one event at the present virtual time."""
        self._raw.append(
            (self._clock.instant, connection, direction, kind, length, text)
        )

    @property
    def events(self) -> list[TraceEvent]:
        """The events so far; a new list on every call."""
        start = self._clock.start
        return [
            TraceEvent(
                round(instant - start, 9), connection, direction, kind, length, text
            )
            for instant, connection, direction, kind, length, text in self._raw
        ]

    def digest(self) -> str:
        """Sum up the run in 16 hex digits: equal runs, equal digits."""
        lines = "\n".join(repr(tuple(event)) for event in self.events)
        return hashlib.sha256(lines.encode()).hexdigest()[:16]

    def copy(self) -> Trace:
        """Keep what happened so far, apart from what is still to come."""
        other = Trace(self._clock)
        other._raw = list(self._raw)  # of the same class
        return other

    def difference(self, other: Trace) -> str:
        """Compare two runs.

        Returns:
            Empty if both are equal; else the first event that differs in both runs,
            with up to three equal events before it, one a line.
        """
        mine, theirs = self.events, other.events
        if mine == theirs:
            return ""
        pairs = zip(mine, theirs, strict=False)
        equal = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        before = [f"  both   {event}" for event in mine[max(0, equal - 3) : equal]]
        first, second = (
            str(events[equal]) if equal < len(events) else "(no more events)"
            for events in (mine, theirs)
        )
        head = f"the first difference is at event {equal}:"
        return "\n".join([head, *before, f"  run 1  {first}", f"  run 2  {second}"])

    def render(self, tail: int | None = None) -> str:
        """Print the events as a timeline, one a line.

        Args:
            tail: Print only this many events from the end; None prints all.
        """
        events = self.events
        shown = events if tail is None else events[max(0, len(events) - tail) :]
        lines = [str(event) for event in shown]
        if len(shown) < len(events):
            lines.insert(0, f"({len(events) - len(shown)} earlier events)")
        return "\n".join(lines)
