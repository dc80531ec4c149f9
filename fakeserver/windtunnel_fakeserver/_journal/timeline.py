"""The timeline: records of a journal as lines for a reader.

Comes in: connection records and exchanges. Goes out: text lines, oldest first. Must
not know: routes, verdicts. Values of secret headers are never printed, because only
two harmless fields of a reply are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windtunnel_fakeserver._wire.reply_writer import status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from windtunnel_fakeserver._journal.record import (
        ConnectionRecord,
        Exchange,
        WireEvent,
    )

_REQUEST_LINE = re.compile(rb"[A-Z]+ \S+ HTTP/")
_SHOWN_FIELDS = (b"location", b"retry-after")
_Line = tuple[float, int, int, str]


def timeline_lines(
    connections: Iterable[ConnectionRecord], exchanges: Sequence[Exchange], limit: int
) -> list[str]:
    """Merge everything by time into at most ``limit`` lines, newest kept."""
    rows: list[_Line] = []
    for record in connections:
        rows.extend(_connection_rows(record))
    for exchange in exchanges:
        rows.extend(_exchange_rows(exchange))
    rows.sort(key=lambda row: row[:3])
    lines = [f"t={time:.3f}  c{number}  {text}" for time, number, _, text in rows]
    if len(lines) <= limit:
        return lines
    left = len(lines) - limit + 1
    return [f"... {left} earlier lines left out", *lines[left:]][:limit]


def _connection_rows(record: ConnectionRecord) -> Iterator[_Line]:
    for index, event in enumerate(record.events):
        text = _event_text(event, record)
        if text:
            # Between marks of exchanges: an event at index i comes after mark i.
            yield event.time, record.number, index * 2 + 1, text


def _event_text(event: WireEvent, record: ConnectionRecord) -> str:
    arrow = {"in": ">", "out": "<", "": "-"}[event.direction]
    if event.kind == "data":
        if not record.scripted:
            return ""
        return f"{arrow}  {len(event.data)} B  {_first_words(event.data)}".rstrip()
    if event.kind == "open":
        return f"-  open {record.server} from {event.text}"
    return f"{arrow}  {event.kind} {event.text}".rstrip()


def _exchange_rows(exchange: Exchange) -> Iterator[_Line]:
    request = exchange.request
    line = f">  {request.method} {request.target[:60]}   {len(request.raw)} B"
    if not request.complete:
        line += " (not complete)"
    yield request.time, request.connection, exchange.mark * 2, line
    if exchange.replied is None:
        return
    status = exchange.reply_status if exchange.reply_status is not None else "(raw)"
    words = f"<  {status}"
    if exchange.outcome == "unmatched":
        words = f"<  (no match) {status}"
    for name, value in _shown_fields(exchange):
        words += f"  {name}: {value}"
    yield exchange.replied, request.connection, exchange.reply_mark * 2, words


def _shown_fields(exchange: Exchange) -> Iterator[tuple[str, str]]:
    head = next((p for p in exchange.sent if (status_of(p) or 0) >= 200), b"")
    for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() in _SHOWN_FIELDS:
            yield name.decode("latin-1").lower(), value.strip().decode("latin-1")[:60]


def _first_words(data: bytes) -> str:
    """Show a request or status line; what may be a field or content stays unsaid."""
    line = data.split(b"\r\n", 1)[0]
    if not (_REQUEST_LINE.match(line) or line.startswith(b"HTTP/")):
        return ""
    return repr(line[:40])[1:] + ("..." if len(line) > 40 else "")
