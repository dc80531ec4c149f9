"""httptools (llhttp) and h11 as readers of one response, and what ours reads in it.

Each reader takes bytes and gives what it read, or None if it refuses them or wants
more.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import h11
import httptools

from tests.client.wire.test_chunked import Sink
from windtunnel._wire.head_exact import HeadReader
from windtunnel._wire.limits import DEFAULT_LIMITS

# Status, minor version, reason and fields, without the blanks around them.
HeadFacts = tuple[int, int, bytes, list[tuple[bytes, bytes]]]

CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BLANKS = b" \t"


class Llhttp:
    """What httptools finds in one response."""

    def __init__(self, data: bytes) -> None:
        self.reason = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.has_head = False
        self.body = b""
        self.is_complete = False
        self.parser: Any = httptools.HttpResponseParser(self)
        # What came before an error, such as the end of the head, counts.
        with suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.parser.feed_data(data)

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_complete = True


def head_by_llhttp(data: bytes) -> HeadFacts | None:
    seen = Llhttp(data)
    if not seen.has_head:
        return None
    minor = int(seen.parser.get_http_version()[-1])
    status: int = seen.parser.get_status_code()
    return _facts(status, minor, seen.reason, seen.fields)


def body_by_llhttp(data: bytes) -> bytes | None:
    seen = Llhttp(CHUNKED_HEAD + data)
    return seen.body if seen.is_complete else None


def _events_of_h11(data: bytes) -> list[Any]:
    connection = h11.Connection(our_role=h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    events: list[Any] = []
    while True:
        try:
            event: Any = connection.next_event()
        except h11.RemoteProtocolError:
            return events
        if event in (h11.NEED_DATA, h11.PAUSED):
            return events
        events.append(event)


def head_by_h11(data: bytes) -> HeadFacts | None:
    for event in _events_of_h11(data)[:1]:
        minor = int(event.http_version[-1:])
        pairs = [(bytes(n), bytes(v)) for n, v in event.headers.raw_items()]
        return _facts(event.status_code, minor, bytes(event.reason), pairs)
    return None


def body_by_h11(data: bytes) -> bytes | None:
    events = _events_of_h11(CHUNKED_HEAD + data)
    if not any(isinstance(event, h11.EndOfMessage) for event in events):
        return None
    return b"".join(bytes(each.data) for each in events if isinstance(each, h11.Data))


def head_by_ours(data: bytes) -> tuple[HeadFacts | None, int]:
    """Read a head; also say how many bytes it has."""
    reader = HeadReader(DEFAULT_LIMITS)
    size = reader.feed(data)
    if size < 0:
        return None, 0
    head = reader.head
    pairs = [(_bytes(name), _bytes(value)) for name, value in head.fields]
    return _facts(head.status, head.minor, _bytes(head.reason), pairs), size


def body_by_ours(data: bytes) -> tuple[bytes | None, int]:
    """Read a chunked body; also say how many bytes it has."""
    sink = Sink()
    size = sink.feed(data)
    return (b"".join(sink.pieces), size) if size >= 0 else (None, 0)


def _facts(
    status: int, minor: int, reason: bytes, fields: list[tuple[bytes, bytes]]
) -> HeadFacts:
    stripped = [(name, value.strip(BLANKS)) for name, value in fields]
    return status, minor, reason.strip(BLANKS), stripped


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
