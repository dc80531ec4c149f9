"""What one run of one variant showed, from both ends.

Comes in: built by the runner from the adapter's answer and from the wire. Goes out: to
the judge and the report. Must not know: what was expected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.case import Json


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """One thing that happened on a connection, as the peer saw it.

    Attributes:
        time: Seconds since the run began: virtual, or real where time is real.
        direction: ``"in"`` from the client, ``"out"`` to it, ``""`` neither.
        kind: ``open data eof reset close tls note``.
        data: The bytes of a ``data`` event.
        text: A remark for the reader of a report.
    """

    time: float
    direction: Literal["in", "out", ""]
    kind: Literal["open", "data", "eof", "reset", "close", "tls", "note"]
    data: bytes = b""
    text: str = ""


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it arrived; text is the latin-1 reading of the bytes.

    Attributes:
        time: Seconds since the run began at which its head was complete.
        raw: Every byte of it, head and framed body.
        line: First line without its line end.
        method: First word of the line.
        target: Second word of the line.
        headers: Field lines in order, names as sent, values without outer blanks.
        body: Body without transfer coding; what arrived of it.
        complete: False if the body ended early.
    """

    time: float
    raw: bytes
    line: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool = True


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """One WebSocket frame of the client.

    Attributes:
        op: Name of the opcode, or its number as text.
        fin: The bit that ends a message.
        rsv: The three reserved bits as a number, 4 for the first of them.
        masked: Whether it was masked.
        payload: Without its mask.
    """

    op: str
    fin: bool
    rsv: int
    masked: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class SeenConnection:
    """One accepted connection.

    Attributes:
        number: From 0, in order of accept over all origins.
        origin: Name of the origin it came to.
        peer: Index of the ``PeerScript`` that played on it; None: nobody expected it.
        requests: In order of arrival.
        bytes_after: Point (``"tls"``) to application bytes received after it.
        events: In order of time.
        problem: Why the script could not be played to its end; None: it was, or the
            run ended first.
        frames: WebSocket frames of the client, if a handshake was accepted.
    """

    number: int
    origin: str
    peer: int | None
    requests: tuple[SeenRequest, ...] = ()
    bytes_after: Mapping[str, int] = field(default_factory=dict[str, int])
    events: tuple[SeenEvent, ...] = ()
    problem: str | None = None
    frames: tuple[SeenFrame, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """How the seconds of a run relate to the seconds of the case.

    Attributes:
        virtual: True: the simulated clock; seconds are exact, ``scale`` is 1, and the
            simulated network has no latency, or else ``at`` could not be exact.
        scale: Run seconds per case second.
        jitter: 99th percentile of timer lateness in real seconds.
        step: Smallest timer step of the client in real seconds.
    """

    virtual: bool = True
    scale: float = 1.0
    jitter: float = 0.0
    step: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """All evidence of one run.

    Attributes:
        results: Action name to the adapter's result (section 4.3 of the format page),
            with ``error`` either absent, None or an object that has ``class``. A group
            reports each inner action under its own name.
        connections: In order of accept.
        ended_at: Run seconds at which the last client action ended. None: unknown.
        timing: How to read ``ended_at``.
        leaks: Kind to count of what was left open after the session was closed.
        unsupported: The adapter's words for what the client cannot express.
        adapter_error: ``(class, words)``, e.g. ``("adapter.crash", "exit code 139")``,
            or ``("harness", ...)`` for a fault of our own.
        stderr: What a process adapter wrote on standard error during the run.
    """

    results: Mapping[str, Mapping[str, Json]] = field(
        default_factory=dict[str, "Mapping[str, Json]"]
    )
    connections: tuple[SeenConnection, ...] = ()
    ended_at: float | None = None
    timing: Timing = field(default_factory=Timing)
    leaks: Mapping[str, int] = field(default_factory=dict[str, int])
    unsupported: str | None = None
    adapter_error: tuple[str, str] | None = None
    stderr: str = ""
