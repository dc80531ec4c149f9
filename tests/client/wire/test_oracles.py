"""What httptools and h11 read in a well-formed response is what ours reads."""

from __future__ import annotations

from itertools import pairwise

import h11
import httptools
from hypothesis import given, settings, strategies as st

from tests.client.wire.test_chunked import Sink
from windtunnel._wire.head import Head, parse_regular_head
from windtunnel._wire.head_exact import HeadReader
from windtunnel._wire.limits import DEFAULT_LIMITS

TOKEN = "!#$%&'*+-.^_`|~0123456789abcXYZ"

names = st.text(st.sampled_from(TOKEN), min_size=1, max_size=12).filter(
    # Fields with a meaning of their own are the other tests' business.
    lambda name: name.lower() not in ("connection", "upgrade")
)
values = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20
).map(str.strip)
fields = st.lists(st.tuples(names, values), max_size=8)
statuses = st.integers(200, 999)
reasons = st.text(st.sampled_from("OK not found-"), max_size=12).map(str.strip)

profile = settings(max_examples=50, derandomize=True, deadline=None, database=None)


def head_of(status: int, reason: str, pairs: list[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{n}: {v}" for n, v in pairs)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Oracle:
    """Collects what httptools finds."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.is_complete = False
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_complete = True


@profile
@given(statuses, reasons, fields, st.integers(1, 50))
def test_heads_are_read_as_httptools_reads_them(
    status: int, reason: str, pairs: list[tuple[str, str]], cut: int
) -> None:
    data = head_of(status, reason, pairs)
    oracle = Oracle()
    oracle.parser.feed_data(data)
    slow = HeadReader(DEFAULT_LIMITS)
    assert slow.feed(data[:cut]) in (-1, len(data))
    if cut < len(data):
        assert slow.feed(data[cut:]) == len(data) - cut
    fast = parse_regular_head(data[:-2].decode(), DEFAULT_LIMITS)
    assert fast is not None
    for head in (fast, slow.head):
        assert head.status == oracle.parser.get_status_code() == status
        assert head.reason == reason
        assert _encoded(head) == oracle.fields


@profile
@given(statuses, fields)
def test_heads_are_read_as_h11_reads_them(
    status: int, pairs: list[tuple[str, str]]
) -> None:
    data = head_of(status, "OK", pairs)
    connection = h11.Connection(our_role=h11.CLIENT)
    request = h11.Request(method="GET", target="/", headers=[("Host", "a")])
    connection.send(request)
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    event = connection.next_event()
    assert isinstance(event, h11.Response)
    head = parse_regular_head(data[:-2].decode(), DEFAULT_LIMITS)
    assert head is not None
    assert head.status == event.status_code
    assert _encoded(head) == list(event.headers.raw_items())


def _encoded(head: Head) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in head.fields]


extensions = st.sampled_from(["", ";a", ";a=b", ';a="b;c"'])
chunks = st.lists(st.tuples(st.binary(min_size=1, max_size=40), extensions), max_size=6)
trailers = st.lists(st.tuples(names, values), max_size=3)


@profile
@given(chunks, trailers, st.lists(st.integers(1, 200), max_size=4))
def test_chunked_bodies_are_read_as_httptools_and_h11_read_them(
    parts: list[tuple[bytes, str]],
    ends: list[tuple[str, str]],
    cuts: list[int],
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = b"".join(
        b"%x%b\r\n%b\r\n" % (len(body), extension.encode(), body)
        for body, extension in parts
    )
    data += b"0\r\n" + "".join(f"{n}: {v}\r\n" for n, v in ends).encode() + b"\r\n"
    oracle = Oracle()
    oracle.parser.feed_data(head + data)
    assert oracle.is_complete
    sink = Sink()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    used = [sink.feed(data[start:stop]) for start, stop in pairwise(places)]
    assert used[-1] == places[-1] - places[-2]
    assert b"".join(sink.pieces) == oracle.body == _body_by_h11(head + data)


def _body_by_h11(data: bytes) -> bytes:
    connection = h11.Connection(our_role=h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    body = b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Data):
            body += bytes(event.data)
    return body
