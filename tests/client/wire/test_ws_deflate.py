"""Compressed messages: with every parameter, in any cut, never more than allowed."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given, settings, strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from tests.client.support import cuts
from tests.client.wire.test_ws_frames import Sink, frame
from windtunnel._wire.ws_deflate import Deflater, Inflater
from windtunnel._wire.ws_frames import FrameReader
from windtunnel._wire.ws_message import Assembly
from windtunnel._wire.ws_rules import BINARY, CONTINUATION, PING, TEXT, FrameError

profile = settings(max_examples=60, derandomize=True, deadline=None, database=None)


def deflate(data: bytes, *, flush: int = zlib.Z_SYNC_FLUSH, level: int = 6) -> bytes:
    """Compress one message on its own."""
    compressor = zlib.compressobj(level, wbits=-15)
    return (compressor.compress(data) + compressor.flush(flush))[:-4]


def read(
    *pieces: bytes, bits: int = 15, fresh: bool = False, max_bytes: int = 0
) -> list[tuple[int, object, str]]:
    """Say what a reader that agreed on compression delivers."""
    sink = Sink()
    reader = FrameReader(
        sink.found.append,
        max_bytes=max_bytes,
        inflater=Inflater(bits, is_fresh_each_time=fresh),
    )
    for piece in pieces:
        reader.feed(piece)
    return sink.found


HELLO = deflate(b"Hello")
STORED = b"\x00\x05\x00\xfa\xffHello\x00"
# RFC 7692 sections 7.2.3.1 to 7.2.3.6.
EXAMPLES = [
    pytest.param(frame(TEXT, HELLO, rsv=4), ["Hello"], id="one-block"),
    pytest.param(
        frame(TEXT, HELLO[:3], fin=False, rsv=4) + frame(CONTINUATION, HELLO[3:]),
        ["Hello"],
        id="fragments",
    ),
    pytest.param(
        frame(TEXT, HELLO, rsv=4) + frame(TEXT, b"\xf2\x00\x11\x00\x00", rsv=4),
        ["Hello", "Hello"],
        id="shared-window",
    ),
    pytest.param(frame(TEXT, STORED, rsv=4), ["Hello"], id="stored-block"),
    pytest.param(
        frame(TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", rsv=4) * 2,
        ["Hello", "Hello"],
        id="final-block",
    ),
    pytest.param(
        frame(TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00", rsv=4) * 2,
        ["Hello", "Hello"],
        id="final-block-without-another",
    ),
    pytest.param(
        frame(TEXT, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", rsv=4),
        ["Hello"],
        id="two-blocks",
    ),
    pytest.param(
        frame(TEXT, b"\x00", rsv=4) + frame(TEXT, rsv=4) + frame(TEXT, HELLO, rsv=4),
        ["", "", "Hello"],
        id="empty",
    ),
    pytest.param(
        frame(TEXT, HELLO, rsv=4) + frame(TEXT, b"plain") + frame(TEXT, HELLO, rsv=4),
        ["Hello", "plain", "Hello"],
        id="plain-in-between",
    ),
    pytest.param(
        frame(TEXT, HELLO[:3], fin=False, rsv=4)
        + frame(PING)
        + frame(CONTINUATION, HELLO[3:]),
        [b"", "Hello"],
        id="ping-in-between",
    ),
]


@pytest.mark.parametrize(("data", "expected"), EXAMPLES)
def test_compressed_messages_are_read_however_they_are_cut(
    data: bytes, expected: list[object]
) -> None:
    for pieces in cuts(data):
        assert [message[1] for message in read(*pieces)] == expected


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        pytest.param(
            frame(BINARY, b"\xff\xff\xff", rsv=4), 1007, "invalid block type", id="junk"
        ),
        pytest.param(frame(PING, rsv=4), 1002, "opcode 9", id="control"),
        pytest.param(
            frame(TEXT, HELLO[:3], fin=False, rsv=4)
            + frame(CONTINUATION, HELLO[3:], rsv=4),
            1002,
            "reserved bits 100 in a frame of opcode 0",
            id="continuation",
        ),
        pytest.param(frame(TEXT, HELLO, rsv=6), 1002, "reserved bits 110", id="rsv2"),
        pytest.param(frame(TEXT, deflate(b"\xff"), rsv=4), 1007, "UTF-8", id="utf-8"),
        pytest.param(
            frame(TEXT, deflate(b"a\xe2"), rsv=4), 1007, "UTF-8", id="utf-8-end"
        ),
    ],
)
def test_broken_compression_is_refused(data: bytes, code: int, text: str) -> None:
    for pieces in cuts(data):
        with pytest.raises(FrameError, match=text) as caught:
            read(*pieces)
        assert caught.value.code == code


def test_a_server_that_refers_to_a_window_it_gave_up_is_refused() -> None:
    data = frame(TEXT, HELLO, rsv=4) + frame(TEXT, b"\xf2\x00\x11\x00\x00", rsv=4)
    with pytest.raises(FrameError, match="distance too far back"):
        read(data, fresh=True)


@pytest.mark.parametrize("bits", range(8, 15))
def test_a_server_that_uses_a_larger_window_than_agreed_is_refused(bits: int) -> None:
    noise = random.Random(bits).randbytes(2**bits + 300)
    deflater = Deflater(15, is_fresh_each_time=False)
    data = b"".join(frame(BINARY, deflater.deflate(noise), rsv=4) for _ in range(2))
    assert read(data) == [(BINARY, noise, "")] * 2
    with pytest.raises(FrameError, match="distance too far back"):
        read(data, bits=bits)


def test_a_bomb_is_refused_in_bounded_steps() -> None:
    bomb = deflate(bytes(50_000_000), level=9)
    assert len(bomb) < 60_000
    message = Assembly(
        BINARY,
        Inflater(15, is_fresh_each_time=False),
        max_bytes=100_000,
        is_decoded=True,
    )
    with pytest.raises(FrameError, match="at least 131072 bytes") as caught:
        message.add(bomb, 0)
    assert caught.value.code == 1009
    assert message.size == 131072


def test_a_message_of_exactly_the_largest_size_inflates() -> None:
    data = frame(BINARY, deflate(bytes(100_000)), rsv=4)
    assert read(data, max_bytes=100_000) == [(BINARY, bytes(100_000), "")]
    with pytest.raises(FrameError, match="more than 99999"):
        read(data, max_bytes=99_999)


def test_an_empty_message_is_one_byte_and_does_not_disturb_the_next() -> None:
    deflater = Deflater(15, is_fresh_each_time=False)
    sent = [deflater.deflate(data) for data in (b"", b"", b"Hello", b"", b"Hello")]
    assert sent[0] == sent[1] == sent[3] == b"\x00"
    assert len(sent[4]) < len(sent[2])
    data = b"".join(frame(BINARY, body, rsv=4) for body in sent)
    assert [message[1] for message in read(data)] == [b"", b"", b"Hello", b"", b"Hello"]


windows = st.integers(9, 15)
bodies = st.lists(
    st.binary(max_size=200) | st.integers(0, 3000).map(lambda n: b"abc" * n),
    min_size=1,
    max_size=6,
)


@profile
@given(bodies, windows, st.booleans(), st.integers(1, 50))
def test_what_websockets_compresses_is_inflated(
    sent: list[bytes], bits: int, fresh: bool, cut: int
) -> None:
    peer = PerMessageDeflate(
        remote_no_context_takeover=False,
        local_no_context_takeover=fresh,
        remote_max_window_bits=15,
        local_max_window_bits=bits,
    )
    data = b""
    for body in sent:
        encoded = peer.encode(Frame(Opcode.BINARY, body))
        data += frame(BINARY, bytes(encoded.data), rsv=4)
    pieces = [data[i : i + cut * 20] for i in range(0, len(data), cut * 20)]
    found = read(*pieces, bits=bits, fresh=fresh)
    assert [message[1] for message in found] == sent


@profile
@given(bodies, windows, st.booleans())
def test_what_we_compress_is_inflated_by_websockets(
    sent: list[bytes], bits: int, fresh: bool
) -> None:
    peer = PerMessageDeflate(
        remote_no_context_takeover=fresh,
        local_no_context_takeover=False,
        remote_max_window_bits=bits,
        local_max_window_bits=15,
    )
    deflater = Deflater(bits, is_fresh_each_time=fresh)
    for body in sent:
        compressed = deflater.deflate(body)
        found = peer.decode(Frame(Opcode.BINARY, compressed, rsv1=True))
        assert bytes(found.data) == body


@profile
@given(
    bodies,
    windows,
    st.booleans(),
    st.lists(st.integers(0, 3000), max_size=4),
    st.integers(1, 400),
)
def test_messages_come_back_however_they_are_compressed_split_and_cut(
    sent: list[bytes], bits: int, fresh: bool, splits: list[int], cut: int
) -> None:
    deflater = Deflater(bits, is_fresh_each_time=fresh)
    data = b""
    for body in sent:
        whole = deflater.deflate(body)
        ends = [*sorted(split % (len(whole) + 1) for split in splits), len(whole)]
        start = 0
        for number, end in enumerate(ends):
            data += frame(
                CONTINUATION if number else BINARY,
                whole[start:end],
                fin=number == len(ends) - 1,
                rsv=0 if number else 4,
            )
            data += frame(PING)
            start = end
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)]
    found = read(*pieces, bits=bits, fresh=fresh)
    assert [message[1] for message in found if message[0] == BINARY] == sent
