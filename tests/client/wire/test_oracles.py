"""What httptools and h11 read in a well-formed response is what ours reads."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings, strategies as st

from tests.client.wire.oracles import (
    body_by_h11,
    body_by_llhttp,
    head_by_h11,
    head_by_llhttp,
    head_by_ours,
)
from tests.client.wire.test_chunked import Sink
from windtunnel._wire.head import parse_regular_head
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


@profile
@given(statuses, reasons, fields, st.integers(1, 50))
def test_heads_are_read_as_httptools_and_h11_read_them(
    status: int, reason: str, pairs: list[tuple[str, str]], cut: int
) -> None:
    data = head_of(status, reason, pairs)
    slow = HeadReader(DEFAULT_LIMITS)
    assert slow.feed(data[:cut]) in (-1, len(data))
    if cut < len(data):
        assert slow.feed(data[cut:]) == len(data) - cut
    fast = parse_regular_head(data[:-2].decode(), DEFAULT_LIMITS)
    assert fast is not None
    assert fast.fields == slow.head.fields == pairs
    assert (fast.status, fast.reason) == (slow.head.status, slow.head.reason)
    seen, size = head_by_ours(data)
    assert size == len(data)
    assert seen == head_by_llhttp(data) == head_by_h11(data)
    assert seen is not None
    assert seen[:3] == (status, 1, reason.encode())


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
    data = b"".join(
        b"%x%b\r\n%b\r\n" % (len(body), extension.encode(), body)
        for body, extension in parts
    )
    data += b"0\r\n" + "".join(f"{n}: {v}\r\n" for n, v in ends).encode() + b"\r\n"
    sink = Sink()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    used = [sink.feed(data[start:stop]) for start, stop in pairwise(places)]
    assert used[-1] == places[-1] - places[-2]
    body = b"".join(sink.pieces)
    assert body == body_by_llhttp(data) == body_by_h11(data)
