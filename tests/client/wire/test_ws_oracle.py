"""Frames that were damaged, read by us and by ``websockets``: who refuses what.

Both read the same bytes; ours are cut anywhere. The two differ in these ways only:

* ``websockets`` takes lengths that are written in more bytes than they need, and of 64
  bits the highest. RFC 6455 section 5.2 forbids both, so we refuse.
* It judges a frame when all of it is there. We judge the head at once, and text byte by
  byte. So it gets more bytes before it is asked.
* It refuses a close frame between the fragments of a message. RFC 6455 section 5.4 lets
  control frames be there, so we take it.
* Of a close frame whose code and whose reason are wrong, it names the reason, we name
  what comes first.
* Text that is not UTF-8 it leaves to the layer above, which is played here.
"""

from __future__ import annotations

import codecs
from itertools import pairwise

import pytest
from hypothesis import example, given, settings, strategies as st
from websockets.frames import Frame
from websockets.protocol import CLIENT, OPEN, Protocol

from tests.client.wire.test_ws_frames import Sink, frame
from windtunnel._wire.ws_rules import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

profile = settings(max_examples=150, derandomize=True, deadline=None, database=None)

OURS_ONLY = ("written in more bytes than it needs", "has its highest bit set")
# Completes any frame whose length has at most 16 bits.
PADDING = bytes(66_000)


class Judge:
    """What ``websockets`` makes of a stream: its messages, and why it gave up."""

    def __init__(self, stream: bytes) -> None:
        self.messages: list[tuple[int, object, str]] = []
        self.code: int | None = None
        self.is_cut_by_close = False
        self._kind = 0
        self._body = b""
        peer = Protocol(CLIENT, state=OPEN, max_size=None)
        peer.receive_data(stream)
        for event in peer.events_received():
            assert isinstance(event, Frame)
            try:
                self._take(event)
            except UnicodeDecodeError:
                self.code = 1007
                return
            if event.opcode == CLOSE:
                return
        if "incomplete fragmented message" in str(peer.parser_exc):
            self.is_cut_by_close = True
        elif peer.parser_exc is not None:
            self.code = 1007 if "Unicode" in type(peer.parser_exc).__name__ else 1002

    def _take(self, event: Frame) -> None:
        data = bytes(event.data)
        if event.opcode == CLOSE:
            code = int.from_bytes(data[:2], "big")
            self.messages.append((CLOSE, code, data[2:].decode()))
        elif event.opcode in (PING, PONG):
            self.messages.append((event.opcode, data, ""))
        else:
            if event.opcode != CONTINUATION:
                self._kind, self._body = event.opcode, b""
            self._body += data
            text = ""
            if self._kind == TEXT:
                decoder = codecs.getincrementaldecoder("utf-8")()
                text = decoder.decode(self._body, event.fin)
            if event.fin:
                whole = text if self._kind == TEXT else self._body
                self.messages.append((self._kind, whole, ""))


def fragments(kind: int, parts: list[bytes], between: bytes) -> bytes:
    """Write a message of several frames, with something behind each."""
    last = len(parts) - 1
    return b"".join(
        frame(CONTINUATION if number else kind, part, fin=number == last) + between
        for number, part in enumerate(parts)
    )


bodies = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        [b"x" * 125, b"x" * 126, b"x" * 300, "\xe4\u20ac\U0001f600".encode()]
    ),
)
closes = st.sampled_from([b"", b"\x03\xe8", b"\x03\xe8bye", b"\x0b\xb8", b"\x13\x87x"])
whole = st.builds(frame, st.sampled_from([TEXT, BINARY]), bodies)
fragmented = st.builds(
    fragments,
    st.sampled_from([TEXT, BINARY]),
    st.lists(bodies, min_size=1, max_size=4),
    st.sampled_from([b"", frame(PING, b"p")]),
)
control = st.builds(frame, st.sampled_from([PING, PONG]), st.binary(max_size=4))
streams = st.lists(
    whole | fragmented | control | st.builds(frame, st.just(CLOSE), closes)
)
# Where, how many bytes go, and what comes instead.
damage = st.tuples(st.integers(0, 400), st.integers(0, 2), st.binary(max_size=2))


def judge_both(stream: bytes, places: list[int], padding: bytes = PADDING) -> None:
    marks = sorted({0, len(stream), *(mark for mark in places if mark < len(stream))})
    sink = Sink()
    sink.feed(*[stream[a:b] for a, b in pairwise(marks)])
    error = sink.error
    if error is None:
        judge = Judge(stream)
        if judge.is_cut_by_close:
            assert sink.found.pop()[0] == CLOSE
        assert (sink.found, None) == (judge.messages, judge.code)
        return
    padded = Judge(stream + padding)
    assert sink.found == padded.messages[: len(sink.found)]
    if any(text in error.text for text in OURS_ONLY):
        return
    if "more than 125 bytes" in error.text and (
        padded.code is None or padded.messages != sink.found
    ):
        # A long form of a short length again.
        return
    two_faults = error.text.startswith("close frame with")
    assert padded.code == error.code or (two_faults and padded.code == 1007)
    assert sink.found == padded.messages


@profile
@given(streams, st.lists(damage, max_size=3), st.lists(st.integers(1, 400), max_size=6))
@example([frame(TEXT, b"\xff")], [], [])
@example([frame(CLOSE, b"\x03\xed\xff")], [], [])
def test_damaged_frames_are_read_or_refused_alike(
    frames: list[bytes], hits: list[tuple[int, int, bytes]], places: list[int]
) -> None:
    stream = b"".join(frames)
    for place, gone, instead in hits:
        at = place % (len(stream) + 1)
        stream = stream[:at] + instead + stream[at + gone :]
    judge_both(stream, places)


@pytest.mark.parametrize("second", [0, 1, 2, 3, 125, 126, 127, 128, 130, 254, 255])
def test_every_beginning_of_a_frame_is_judged_alike(second: int) -> None:
    for first in range(256):
        for before in (b"", frame(BINARY, b"a", fin=False)):
            judge_both(before + bytes((first, second)) + bytes(3), [], bytes(130))


@profile
@given(st.binary(max_size=40), st.lists(st.integers(1, 40), max_size=6))
def test_noise_is_judged_alike(noise: bytes, places: list[int]) -> None:
    judge_both(noise, places)
