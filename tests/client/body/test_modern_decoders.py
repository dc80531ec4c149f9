"""br and zstd are undone in bounded steps, and a damaged body is an error."""

from __future__ import annotations

import gzip
import random
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from tests.client.support import cuts
from windtunnel._body.decoders import (
    ACCEPT_ENCODING,
    DecodeError,
    Decoder,
    make_decoder,
)
from windtunnel._body.optional_codecs import brotli_module, zstd_module

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT = b"".join(b"line %d of a text that compresses well\n" % n for n in range(20))
NOISE = random.Random(7).randbytes(3000)
zstd = zstd_module()


def br(data: bytes) -> bytes:
    return bytes(brotli_module().compress(data))


def zst(data: bytes, **parameters: int) -> bytes:
    options = {zstd.CompressionParameter[name]: n for name, n in parameters.items()}
    packer = zstd.ZstdCompressor(options=options)
    return bytes(packer.compress(data) + packer.flush())


SKIPPED = struct.pack("<II", 0x184D2A57, 3) + b"abc"


def made(coding: str, cap: int | None = None) -> Decoder:
    decoder = make_decoder(coding, cap)
    assert decoder is not None
    return decoder


def decode(
    coding: str, pieces: Iterable[bytes], limit: int = 100, cap: int | None = None
) -> bytes:
    """Decode pieces the way a stream does; every step must keep to its limit."""
    decoder = made(coding, cap)
    out: list[bytes] = []
    for piece in pieces:
        data = piece
        while data or decoder.pending:
            step = decoder.decode(data, limit)
            assert len(step) <= limit
            out.append(step)
            data = b""
    decoder.finish()
    assert not decoder.pending
    return b"".join(out)


ENCODED = [
    pytest.param("br", br(TEXT), TEXT, id="br"),
    pytest.param("Br", br(NOISE[:300]), NOISE[:300], id="br-noise"),
    pytest.param("br", br(b""), b"", id="br-of-nothing"),
    pytest.param("zstd", zst(TEXT), TEXT, id="zstd"),
    pytest.param("ZSTD", zst(NOISE[:300]), NOISE[:300], id="zstd-noise"),
    pytest.param("zstd", zst(b""), b"", id="zstd-of-nothing"),
    pytest.param("zstd", zst(TEXT, checksum_flag=1), TEXT, id="zstd-checksum"),
    pytest.param("zstd", zst(b"ab") + zst(b"cd"), b"abcd", id="zstd-frames"),
    pytest.param("zstd", zst(b"ab") + SKIPPED + zst(b"cd"), b"abcd", id="zstd-skipped"),
    pytest.param("zstd", SKIPPED, b"", id="zstd-only-skipped"),
    pytest.param("zstd", zst(b"ab") + b"junk", b"ab", id="zstd-junk"),
    pytest.param(
        "zstd", zst(b"ab") + b"\x28\xb5junk", b"ab", id="zstd-junk-like-magic"
    ),
    pytest.param("gzip, br", br(gzip.compress(b"abc", mtime=0)), b"abc", id="chain"),
    pytest.param("br, zstd", zst(br(b"abc")), b"abc", id="chain-of-both"),
]


@pytest.mark.parametrize(("coding", "data", "expected"), ENCODED)
def test_body_decodes_however_it_is_cut(
    coding: str, data: bytes, expected: bytes
) -> None:
    for pieces in cuts(data):
        assert decode(coding, pieces) == expected
    assert decode(coding, [data], 1) == expected
    assert decode(coding, [data, b""], 1 << 20) == expected


@pytest.mark.parametrize(
    ("coding", "data", "match"),
    [
        pytest.param("br", br(TEXT)[:-1], "before its end mark", id="br-short"),
        pytest.param("br", b"\xff" * 10, "br data is corrupt", id="br-bad"),
        pytest.param("br", br(TEXT) + b"x", "br data is corrupt", id="br-junk"),
        pytest.param("zstd", zst(TEXT)[:-1], "before its end mark", id="zstd-short"),
        pytest.param("zstd", zst(TEXT)[:3], "before its end mark", id="zstd-magic"),
        pytest.param("zstd", b"junk and more", "zstd data is corrupt", id="zstd-bad"),
        pytest.param(
            "zstd", zst(b"ab") + zst(b"cd")[:2], "before its end mark", id="zstd-second"
        ),
        pytest.param("zstd", SKIPPED[:-1], "before its end mark", id="zstd-skipped"),
        pytest.param(
            "zstd",
            zst(TEXT, checksum_flag=1)[:-1] + b"\0",
            "zstd data is corrupt",
            id="zstd-checksum",
        ),
        pytest.param(
            "zstd", zst(NOISE, window_log=24), "too much memory", id="zstd-window"
        ),
    ],
)
def test_damaged_body_is_an_error_however_it_is_cut(
    coding: str, data: bytes, match: str
) -> None:
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):
        with pytest.raises(DecodeError, match=match):
            decode(coding, pieces)


def test_window_of_eight_mebibytes_is_allowed() -> None:
    assert decode("zstd", [zst(NOISE, window_log=23)], 4096) == NOISE


def test_body_without_a_byte_is_empty() -> None:
    for coding in ("br", "zstd"):
        assert decode(coding, []) == b""


@pytest.mark.parametrize("pack", [br, zst])
def test_bomb_costs_what_the_reader_takes(pack: object) -> None:
    coding, data = (
        ("br", br(bytes(4 << 20))) if pack is br else ("zstd", zst(bytes(4 << 20)))
    )
    decoder = made(coding)
    assert len(decoder.decode(data, 1000)) == 1000
    assert decoder.pending
    assert len(decoder.decode(b"", 1000)) == 1000


def test_many_empty_frames_are_taken_in_bounded_steps() -> None:
    frames = zst(b"") * 200
    decoder = made("zstd")
    assert decoder.decode(frames, 10) == b""
    assert decoder.pending
    assert decode("zstd", [frames + zst(b"end")]) == b"end"


def test_input_that_comes_while_output_waits_is_kept() -> None:
    data = br(bytes(300_000) + TEXT)
    decoder = made("br")
    out = decoder.decode(data[:-5], 10)
    out += decoder.decode(data[-5:-2], 10)
    out += decoder.decode(data[-2:], 10)
    while decoder.pending:
        out += decoder.decode(b"", 5000)
    decoder.finish()
    assert out == bytes(300_000) + TEXT


@pytest.mark.parametrize(("coding", "data", "expected"), ENCODED)
def test_cap_counts_decoded_bytes(coding: str, data: bytes, expected: bytes) -> None:
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):
        assert decode(coding, pieces, cap=len(expected)) == expected
        if expected:
            cap = len(expected) - 1
            with pytest.raises(DecodeError, match=f"more than {cap} bytes, which is"):
                decode(coding, pieces, cap=cap)


def test_cap_without_a_coding_is_nothing() -> None:
    assert make_decoder("identity", 5) is None
    with pytest.raises(DecodeError, match="before its end mark"):
        decode("gzip", [gzip.compress(b"abc")[:-1]], cap=10)


def test_all_codings_are_offered_when_their_libraries_are_there() -> None:
    assert ACCEPT_ENCODING == "gzip, deflate, br, zstd"


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.binary(max_size=200).map(lambda data: data * 50),
    st.lists(st.integers(1, 50), min_size=1, max_size=5),
    st.integers(1, 3000),
    st.sampled_from(["br", "zstd"]),
)
def test_any_cut_gives_the_same(
    data: bytes, sizes: list[int], limit: int, coding: str
) -> None:
    packed = br(data) if coding == "br" else zst(data)
    pieces: list[bytes] = []
    while packed:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(packed[:size])
        packed = packed[size:]
    assert decode(coding, pieces, limit) == data
