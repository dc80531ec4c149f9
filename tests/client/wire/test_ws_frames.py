"""Frames of a server: what they say, and which are refused, however they are cut."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, SERVER, Protocol

from tests.client.support import cuts
from windtunnel._wire.ws_frames import FrameReader, frame_head, parse_close
from windtunnel._wire.ws_mask import mask_in_python
from windtunnel._wire.ws_rules import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    FrameError,
    may_be_on_the_wire,
)

profile = settings(max_examples=80, derandomize=True, deadline=None, database=None)


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0
) -> bytes:
    """Write a frame as a server does."""
    first = fin << 7 | rsv << 4 | opcode
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


class Sink:
    """Collects what a reader delivers, and the error that ended it."""

    def __init__(self, *, max_bytes: int = 0, decode_text: bool = True) -> None:
        self.found: list[tuple[int, object, str]] = []
        self.error: FrameError | None = None
        self.reader = FrameReader(
            self.found.append,
            max_bytes=max_bytes,
            decode_text=decode_text,
        )

    def feed(self, *pieces: bytes) -> None:
        try:
            for piece in pieces:
                self.reader.feed(piece)
        except FrameError as exc:
            self.error = exc


GOOD = [
    pytest.param(frame(TEXT, b"ab"), [(TEXT, "ab", "")], id="text"),
    pytest.param(frame(TEXT), [(TEXT, "", "")], id="empty-text"),
    pytest.param(frame(BINARY), [(BINARY, b"", "")], id="empty-binary"),
    pytest.param(frame(BINARY, b"\xff"), [(BINARY, b"\xff", "")], id="binary"),
    pytest.param(
        frame(BINARY, b"x" * 126) + frame(BINARY, b"y" * 125),
        [(BINARY, b"x" * 126, ""), (BINARY, b"y" * 125, "")],
        id="medium",
    ),
    pytest.param(
        frame(TEXT, "h\xe4\u20ac\U0001f600".encode(), fin=False)
        + frame(PING, b"p")
        + frame(CONTINUATION, fin=False)
        + frame(CONTINUATION, "\u20ac".encode()[:1], fin=False)
        + frame(PONG)
        + frame(CONTINUATION, "\u20ac".encode()[1:]),
        [(PING, b"p", ""), (PONG, b"", ""), (TEXT, "h\xe4\u20ac\U0001f600\u20ac", "")],
        id="fragments-and-control",
    ),
    pytest.param(
        frame(BINARY, fin=False) + frame(CONTINUATION),
        [(BINARY, b"", "")],
        id="empty-fragments",
    ),
    pytest.param(
        frame(CLOSE) + frame(TEXT, b"after"), [(CLOSE, 0, "")], id="close-without-code"
    ),
    pytest.param(
        frame(CLOSE, b"\x03\xe8" + "b\xe4".encode()) + b"\xff\xff\xff",
        [(CLOSE, 1000, "b\xe4")],
        id="close-with-reason",
    ),
    pytest.param(
        frame(BINARY, b"open", fin=False) + frame(CLOSE, b"\x0b\xb8"),
        [(CLOSE, 3000, "")],
        id="close-within-a-message",
    ),
    pytest.param(
        frame(PING, b"x" * 125), [(PING, b"x" * 125, "")], id="longest-control"
    ),
]


@pytest.mark.parametrize(("data", "expected"), GOOD)
def test_frames_are_read_however_they_are_cut(
    data: bytes, expected: list[tuple[int, object, str]]
) -> None:
    for pieces in cuts(data):
        sink = Sink()
        sink.feed(*pieces)
        assert sink.error is None
        assert sink.found == expected


FIVE = "RFC 6455 section 5"
BAD = [
    pytest.param(b"\x82\x81\0\0\0\0a", 1002, "frame of a server is masked", id="mask"),
    pytest.param(b"\x82\xfe\0\x80\0\0\0\0", 1002, "is masked", id="mask-medium"),
    pytest.param(frame(3), 1002, "opcode 3 is not defined", id="opcode-3"),
    pytest.param(frame(7), 1002, "opcode 7 is not defined", id="opcode-7"),
    pytest.param(frame(11), 1002, "opcode 11 is not defined", id="opcode-11"),
    pytest.param(frame(15), 1002, "opcode 15 is not defined", id="opcode-15"),
    pytest.param(frame(TEXT, rsv=4), 1002, "reserved bits 100", id="rsv1"),
    pytest.param(frame(TEXT, rsv=2), 1002, "reserved bits 010", id="rsv2"),
    pytest.param(frame(TEXT, rsv=1), 1002, "reserved bits 001", id="rsv3"),
    pytest.param(frame(PING, rsv=4), 1002, "reserved bits 100", id="rsv1-control"),
    pytest.param(frame(PING, fin=False), 1002, "is fragmented", id="ping-fragment"),
    pytest.param(frame(CLOSE, fin=False), 1002, "is fragmented", id="close-fragment"),
    pytest.param(frame(PING, b"x" * 126), 1002, "more than 125 bytes", id="long-ping"),
    pytest.param(
        struct.pack("!BBQ", 0x88, 127, 65536), 1002, "more than 125", id="longer-close"
    ),
    pytest.param(b"\x82\x7e\0\x7d" + b"x" * 125, 1002, "more bytes", id="minimal-126"),
    pytest.param(
        struct.pack("!BBQ", 0x82, 127, 65535), 1002, "length 65535", id="minimal-127"
    ),
    pytest.param(
        struct.pack("!BBQ", 0x82, 127, 1 << 63), 1002, "highest bit", id="length-2^63"
    ),
    pytest.param(
        frame(CONTINUATION, b"x"), 1002, "without a message", id="continuation"
    ),
    pytest.param(
        frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
        1002,
        "within a fragmented message",
        id="nested",
    ),
    pytest.param(frame(CLOSE, b"\x03"), 1002, r"close frame with b'\x03'", id="half"),
    pytest.param(frame(CLOSE, b"\x03\xe8\xff"), 1007, "reason of", id="reason"),
    pytest.param(frame(TEXT, b"a\xff"), 1007, r"text has b'\xff'", id="utf8"),
    pytest.param(frame(TEXT, b"\xe2\x82"), 1007, r"b'\xe2\x82'", id="utf8-end"),
    pytest.param(
        frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"a"),
        1007,
        r"text has b'\xe2a'",
        id="utf8-fragments",
    ),
    pytest.param(
        frame(TEXT, b"a\xe2", fin=False) + frame(CONTINUATION),
        1007,
        r"text has b'\xe2'",
        id="utf8-last-empty",
    ),
]


@pytest.mark.parametrize("decode_text", [True, False])
@pytest.mark.parametrize(("data", "code", "text"), BAD)
def test_broken_frames_are_refused_however_they_are_cut(
    data: bytes, code: int, text: str, decode_text: bool
) -> None:
    good = frame(TEXT, b"first") + frame(PING)
    payload = "first" if decode_text else b"first"
    for pieces in cuts(good + data):
        sink = Sink(decode_text=decode_text)
        sink.feed(*pieces)
        assert sink.error is not None
        assert sink.error.code == code
        assert text in str(sink.error)
        assert sink.error.rule.startswith("RFC 6455 section")
        assert sink.error.offset >= len(good)
        assert sink.found == [(TEXT, payload, ""), (PING, b"", "")]


@pytest.mark.parametrize(
    ("text", "first_bad"),
    [
        pytest.param(b"\xc0\xaf", 0, id="overlong-2"),
        pytest.param(b"\xe0\x80\xaf", 1, id="overlong-3"),
        pytest.param(b"\xf0\x80\x80\xaf", 1, id="overlong-4"),
        pytest.param(b"ab\xed\xa0\x80", 3, id="surrogate"),
        pytest.param(b"\xf4\x90\x80\x80", 1, id="above-10ffff"),
        pytest.param(b"\xf5\x80", 0, id="f5"),
        pytest.param(b"a\x80", 1, id="lone-continuation"),
        pytest.param("\u20ac".encode() + b"\xe2\x82\x28", 5, id="later"),
    ],
)
def test_text_is_refused_at_its_first_bad_byte(text: bytes, first_bad: int) -> None:
    sink = Sink()
    sink.feed(frame(TEXT, text + b"x" * 50)[:2])
    for at in range(first_bad):
        sink.feed(text[at : at + 1])
        assert sink.error is None
    sink.feed(text[first_bad : first_bad + 1])
    assert sink.error is not None
    assert sink.error.code == 1007


def test_every_close_code_is_judged_by_the_registry() -> None:
    allowed = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
    for code in range(65536):
        assert may_be_on_the_wire(code) is (code in allowed)
        if code in allowed:
            assert parse_close(code.to_bytes(2, "big"), 0) == (code, "")
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        with pytest.raises(FrameError, match="its code must be") as caught:
            parse_close(code.to_bytes(2, "big"), 7)
        assert (caught.value.code, caught.value.offset) == (1002, 7)


def test_a_message_of_the_largest_size_passes_and_a_larger_one_does_not() -> None:
    parts = frame(BINARY, b"x" * 6, fin=False), frame(CONTINUATION, b"x" * 4)
    for data in (frame(BINARY, b"x" * 10), b"".join(parts)):
        sink = Sink(max_bytes=10)
        sink.feed(data)
        assert sink.found == [(BINARY, b"x" * 10, "")]
        sink = Sink(max_bytes=9)
        sink.feed(data)
        assert sink.error is not None
        assert sink.error.code == 1009
        assert "message of at least 10 bytes is more than 9" in str(sink.error)
        assert sink.found == []


def test_a_large_frame_is_refused_by_its_head_alone() -> None:
    sink = Sink(max_bytes=4096)
    sink.feed(struct.pack("!BBQ", 0x82, 127, 2**40))
    assert sink.error is not None
    assert sink.error.code == 1009
    sink = Sink(max_bytes=4096)
    sink.feed(frame(TEXT, b"x" * 4000, fin=False) + b"\x80\x7e\x01\x00")
    assert sink.error is not None
    assert sink.error.code == 1009


def test_control_frames_do_not_count_towards_the_size_of_a_message() -> None:
    sink = Sink(max_bytes=4)
    sink.feed(frame(PING, b"x" * 100))
    assert sink.found == [(PING, b"x" * 100, "")]


@pytest.mark.parametrize("kind", [TEXT, BINARY])
def test_large_messages_come_whole_in_any_pieces(kind: int) -> None:
    body = bytes(range(128)) * 3000
    data = frame(kind, body) + frame(PING)
    expected = [(kind, body.decode() if kind == TEXT else body, ""), (PING, b"", "")]
    for size in (len(data), 65536, 1000):
        sink = Sink()
        sink.feed(*[data[i : i + size] for i in range(0, len(data), size)])
        assert sink.found == expected


def test_a_large_binary_message_is_received_into_its_own_memory() -> None:
    sink = Sink()
    for body in (b"a" * 100_000, b"b" * 90_000, b"c" * 5_000_000):
        sink.feed(frame(BINARY, body)[:500])
        sent = 490
        while (room := sink.reader.room()) is not None:
            part = body[sent : sent + 30_000]
            assert len(part) <= len(room)
            room[: len(part)] = part
            sink.reader.filled(len(part))
            sent += len(part)
        assert sink.found.pop() == (BINARY, body, "")
    sink.feed(frame(TEXT, b"x"))
    assert sink.found == [(TEXT, "x", "")]


def test_no_memory_is_reserved_for_an_announced_giant() -> None:
    sink = Sink()
    sink.feed(struct.pack("!BBQ", 0x82, 127, 2**62) + b"x")
    assert sink.error is None
    assert sink.reader.room() is None


# --- against another implementation -------------------------------------------------

payloads = st.binary(max_size=140) | st.integers(100, 70000).map(bytes)
texts = st.text(max_size=40).map(str.encode)
controls = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))
messages = st.lists(
    st.tuples(st.just(TEXT), texts) | st.tuples(st.just(BINARY), payloads) | controls,
    max_size=8,
)


@profile
@given(messages, st.lists(st.integers(1, 300), max_size=5), st.data())
def test_frames_of_websockets_are_read_as_they_were_meant(
    sent: list[tuple[int, bytes]], places: list[int], data: st.DataObject
) -> None:
    peer = Protocol(SERVER, state=OPEN)
    for opcode, payload in sent:
        if opcode in (PING, PONG):
            (peer.send_ping if opcode == PING else peer.send_pong)(payload)
            continue
        send = peer.send_text if opcode == TEXT else peer.send_binary
        cut = data.draw(st.integers(0, len(payload)))
        if cut:
            send(payload[:cut], fin=False)
            peer.send_continuation(payload[cut:], fin=True)
        else:
            send(payload)
    stream = b"".join(peer.data_to_send())
    marks = sorted({0, len(stream), *(mark for mark in places if mark < len(stream))})
    sink = Sink()
    sink.feed(*[stream[a:b] for a, b in pairwise(marks)])
    assert sink.error is None
    assert sink.found == [
        (opcode, payload.decode() if opcode == TEXT else payload, "")
        for opcode, payload in sent
    ]


firsts = st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8A])
bodies = st.binary(max_size=3) | st.sampled_from([b"\x03\xe8", b"x" * 126])


@profile
@given(st.lists(st.tuples(firsts | st.integers(0, 255), bodies), max_size=5))
def test_frames_are_refused_where_websockets_refuses_them(
    sent: list[tuple[int, bytes]],
) -> None:
    peer = Protocol(CLIENT, state=OPEN, max_size=None)
    sink = Sink()
    for first, body in sent:
        data = frame(first & 15, body, fin=first > 127, rsv=first >> 4 & 7)
        peer.receive_data(data)
        sink.feed(data)
        if sink.error is not None and sink.error.code == 1007:
            # It leaves the text of messages to the layer above.
            return
        assert (sink.error is None) is (peer.parser_exc is None)
        if sink.error is not None or first & 15 == CLOSE:
            return


@profile
@given(payloads, st.binary(min_size=4, max_size=4), st.sampled_from([TEXT, BINARY]))
def test_frames_we_write_are_read_by_websockets(
    payload: bytes, key: bytes, opcode: int
) -> None:
    peer = Protocol(SERVER, state=OPEN, max_size=None)
    head = frame_head(0x80 | opcode, len(payload), key)
    peer.receive_data(head + mask_in_python(payload, key))
    (event,) = peer.events_received()
    assert isinstance(event, Frame)
    assert (event.opcode, event.data, event.fin) == (Opcode(opcode), payload, True)
