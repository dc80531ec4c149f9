"""Turns the evidence of one run into lines in order of time, both ends together.

In: an ``Outcome``. Out: rows that a terminal or a page can show. Bytes are shown as
what they are: printable ASCII as itself, everything else escaped, so that a reader
can tell a CR from its absence. Knows nothing of verdicts or formats.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from windtunnel_conformance.case import Json
    from windtunnel_conformance.outcome import Outcome, SeenConnection, SeenEvent

_NAMED = {0x09: "\\t", 0x0A: "\\n\n", 0x0D: "\\r", 0x5C: "\\\\"}
_BYTE_KEYS = frozenset({"body", "partial", "payload"})


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of a wire log.

    Attributes:
        time: Seconds since the run began.
        who: ``"client"``, or ``"c0"`` for the first connection.
        arrow: ``"→"`` from client to peer, ``"←"`` back, ``""`` neither.
        text: What happened; bytes escaped, with a line break after each LF.
    """

    time: float
    who: str
    arrow: str
    text: str


def log_rows(outcome: Outcome, *, max_bytes: int) -> list[LogRow]:
    """Merge what the client reported with what the peer saw.

    Args:
        outcome: The evidence of one run.
        max_bytes: Longer data is cut, and its length is said.

    Returns:
        Rows by time; where times are equal an action begins before the wire moves
        and ends after it.
    """
    ordered: list[tuple[float, int, LogRow]] = []
    for name, result in outcome.results.items():
        ordered.extend(_action_rows(name, result, max_bytes))
    for connection in outcome.connections:
        ordered.extend(
            (row.time, 1, row) for row in _connection_rows(connection, max_bytes)
        )
    ordered.sort(key=lambda item: item[:2])
    return [row for _, _, row in ordered]


def visible(data: bytes, max_bytes: int) -> str:
    """Show bytes so that none of them hides.

    Returns:
        Text with a line break after each escaped LF; at most ``max_bytes`` bytes, then
        how many were left out.
    """
    shown = data[:max_bytes]
    text = "".join(
        _NAMED.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
        for byte in shown
    )
    lines = text.removesuffix("\n")
    left = len(data) - len(shown)
    return f"{lines}\n... {left} more bytes" if left else lines


def result_text(result: Mapping[str, Json], max_bytes: int) -> str:
    """Show what a client reported for one action, in a line or a few."""
    parts: list[str] = []
    error = result.get("error")
    if "status" in result:
        parts.append(f"{result['status']} {result.get('reason') or ''}".rstrip())
    parts.extend(
        f"{key} {_value_text(key, result[key], max_bytes)}"
        for key in ("body", "partial")
        if key in result
    )
    if isinstance(error, dict):
        parts.append(f"error {error.get('class', '?')}: {error.get('raw', '')}")
    return ", ".join(parts) or "done"


def _action_rows(
    name: str, result: Mapping[str, Json], max_bytes: int
) -> Iterator[tuple[float, int, LogRow]]:
    times = result.get("t")
    start, end = times if isinstance(times, list) and len(times) == 2 else (0.0, None)
    if isinstance(start, (int, float)):
        yield start, 0, LogRow(start, "client", "", f"{name} begins")
    if isinstance(end, (int, float)):
        text = f"{name} ends: {result_text(result, max_bytes)}"
        yield end, 2, LogRow(end, "client", "", text)


def _connection_rows(connection: SeenConnection, max_bytes: int) -> Iterator[LogRow]:
    who = f"c{connection.number}"
    for event in connection.events:
        arrow = {"in": "→", "out": "←", "": ""}[event.direction]
        yield LogRow(event.time, who, arrow, _event_text(connection, event, max_bytes))
    if connection.problem is not None and connection.events:
        last = connection.events[-1].time
        yield LogRow(last, who, "", f"script: {connection.problem}")


def _event_text(connection: SeenConnection, event: SeenEvent, max_bytes: int) -> str:
    match event.kind:
        case "data":
            return visible(event.data, max_bytes)
        case "open":
            stranger = " (no script expects it)" if connection.peer is None else ""
            return f"open to {connection.origin}{stranger}"
        case "eof":
            return "FIN"
        case "reset":
            return f"RST {event.text}".rstrip()
        case _:
            return f"{event.kind} {event.text}".rstrip()


def _value_text(key: str, value: Json, max_bytes: int) -> str:
    match value:
        case str() if key in _BYTE_KEYS:
            return f'"{visible(value.encode("latin-1", "replace"), max_bytes)}"'
        case {"b64": str(text)}:
            return f'"{visible(base64.b64decode(text), max_bytes)}"'
        case {"len": int(length)}:
            return f"of {length} bytes"
        case _:
            return json.dumps(value)
