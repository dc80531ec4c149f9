"""Content codings are undone in bounded steps, and a damaged body is an error."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from windtunnel._body.decoders import (
    ACCEPT_ENCODING,
    DecodeError,
    Decoder,
    make_decoder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TEXT = b"".join(b"line %d of a text that compresses well\n" % n for n in range(40))
NOISE = random.Random(7).randbytes(3000)


def gz(data: bytes, level: int = 9) -> bytes:
    return gzip.compress(data, level, mtime=0)


def raw_deflate(data: bytes, level: int = 9) -> bytes:
    packer = zlib.compressobj(level, wbits=-15)
    return packer.compress(data) + packer.flush()


def gz_with_fields(data: bytes) -> bytes:
    """A member with extra field, name, comment and a checksum of its head."""
    head = b"\x1f\x8b\x08\x1e" + bytes(4) + b"\0\3"
    head += struct.pack("<H", 3) + b"abc" + b"name\0" + b"comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    return head + raw_deflate(data) + struct.pack("<II", zlib.crc32(data), len(data))


def made(coding: str) -> Decoder:
    decoder = make_decoder(coding)
    assert decoder is not None
    return decoder


def decode(coding: str, pieces: Iterable[bytes], max_length: int = 100) -> bytes:
    """Decode pieces the way a stream does; every step must keep to its limit."""
    decoder = made(coding)
    out: list[bytes] = []
    for piece in pieces:
        data = piece
        while data or decoder.pending:
            step = decoder.decode(data, max_length)
            assert len(step) <= max_length
            out.append(step)
            data = b""
    decoder.finish()
    assert not decoder.pending
    return b"".join(out)


def splits(data: bytes) -> Iterator[list[bytes]]:
    """The data whole, byte by byte, and cut in two at each offset."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    for cut in range(1, len(data)):
        yield [data[:cut], data[cut:]]


ENCODED = [
    pytest.param("gzip", gz(TEXT), TEXT, id="gzip"),
    pytest.param("x-gzip", gz(TEXT), TEXT, id="x-gzip"),
    pytest.param("GZip", gz(TEXT), TEXT, id="name-in-any-case"),
    pytest.param("deflate", zlib.compress(TEXT), TEXT, id="deflate-zlib"),
    pytest.param("deflate", raw_deflate(TEXT), TEXT, id="deflate-bare"),
    pytest.param("deflate", raw_deflate(TEXT, 0), TEXT, id="deflate-bare-stored"),
    pytest.param("deflate", zlib.compress(NOISE), NOISE, id="deflate-noise"),
    pytest.param("gzip", gz(NOISE, 0), NOISE, id="gzip-stored-blocks"),
    pytest.param("gzip", gz_with_fields(TEXT), TEXT, id="gzip-all-head-fields"),
    pytest.param("gzip", gz(b""), b"", id="gzip-empty-member"),
    pytest.param("gzip", gz(TEXT) + gz(NOISE), TEXT + NOISE, id="gzip-two-members"),
    pytest.param("gzip", gz(b"") * 3 + gz(b"x"), b"x", id="gzip-empty-members-first"),
    pytest.param("gzip", gz(TEXT) + bytes(9), TEXT, id="gzip-zero-padding"),
    pytest.param("gzip", gz(TEXT) + b"junk", TEXT, id="gzip-junk-after"),
    pytest.param(
        "gzip",
        gz(TEXT) + bytes(5) + gz(b"x") + b"?",
        TEXT + b"x",
        id="gzip-padded-member",
    ),
    pytest.param("gzip", gz(TEXT) + b"\x1fx", TEXT, id="gzip-junk-like-a-member"),
    pytest.param(
        "deflate", zlib.compress(TEXT) + b"junk", TEXT, id="deflate-junk-after"
    ),
    pytest.param("gzip, gzip", gz(gz(TEXT)), TEXT, id="gzip-twice"),
    pytest.param("deflate,gzip", gz(zlib.compress(TEXT)), TEXT, id="deflate-then-gzip"),
    pytest.param(
        "gzip, identity,, deflate , gzip",
        gz(zlib.compress(gz(TEXT))),
        TEXT,
        id="three-codings",
    ),
]


@pytest.mark.parametrize(("coding", "encoded", "expected"), ENCODED)
def test_body_is_decoded_however_it_is_split(
    coding: str, encoded: bytes, expected: bytes
) -> None:
    limits = (1, 7, 4096) if len(encoded) < 400 else (1000,)
    whole = splits(encoded) if len(encoded) < 400 else iter([[encoded]])
    for pieces in whole:
        for limit in limits if len(pieces) != 2 else (1000,):
            assert decode(coding, pieces, limit) == expected


@pytest.mark.parametrize(("coding", "encoded", "expected"), ENCODED)
def test_one_byte_at_a_time_gives_the_same(
    coding: str, encoded: bytes, expected: bytes
) -> None:
    assert decode(coding, [bytes([byte]) for byte in encoded]) == expected


@settings(max_examples=50, deadline=None)
@given(
    data=st.binary(max_size=3000),
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=20),
    limit=st.integers(1, 3000),
    encode=st.sampled_from(
        [("gzip", gz), ("deflate", zlib.compress), ("deflate", raw_deflate)]
    ),
)
def test_any_data_in_any_pieces_comes_back(
    data: bytes,
    sizes: list[int],
    limit: int,
    encode: tuple[str, Callable[[bytes], bytes]],
) -> None:
    encoded = encode[1](data)
    pieces: list[bytes] = []
    while encoded:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(encoded[:size])
        encoded = encoded[size:]
    assert decode(encode[0], pieces, limit) == data


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, deflate"])
def test_body_without_any_byte_is_empty(coding: str) -> None:
    decoder = made(coding)
    assert not decoder.pending
    decoder.finish()


TRUNCATED = {
    "gzip": ("gzip", gz(b"some text, some more text")),
    "gzip-second-member": ("gzip", gz(b"") + gz(b"some text")),
    "deflate-zlib": ("deflate", zlib.compress(b"some text, some more text")),
    "deflate-bare": ("deflate", raw_deflate(b"some text, some more text")),
    "chain": ("deflate, gzip", gz(zlib.compress(b"some text"))),
}


@pytest.mark.parametrize("name", TRUNCATED)
def test_body_that_ends_early_is_an_error_at_every_offset(name: str) -> None:
    coding, encoded = TRUNCATED[name]
    complete = len(gz(b"")) if "second" in name else 0
    for end in range(1, len(encoded)):
        if end == complete:
            assert decode(coding, [encoded[:end]]) == b""
            continue
        with pytest.raises(DecodeError, match=rf"ends after {end} bytes") as caught:
            decode(coding, [encoded[:end]])
        assert (caught.value.coding, caught.value.offset) == (
            coding.rpartition(" ")[2],
            end,
        )


def flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 0xFF]) + data[offset + 1 :]


@pytest.mark.parametrize(
    ("coding", "encoded", "reason"),
    [
        pytest.param("gzip", b"not gzip at all", "incorrect header", id="no-gzip"),
        pytest.param("gzip", flipped(gz(TEXT), -8), "data check", id="wrong-crc"),
        pytest.param("gzip", flipped(gz(TEXT), -4), "length check", id="wrong-isize"),
        pytest.param(
            "gzip", gz(b"")[:3] + b"\xe0" + gz(b"")[4:], "flags", id="reserved-flags"
        ),
        pytest.param(
            "gzip", flipped(gz_with_fields(b"x"), 27), "header crc", id="wrong-head-crc"
        ),
        pytest.param(
            "gzip",
            gz(b"x") + b"\x1f\x8bxxxxxxxx",
            "compression method",
            id="bad-member",
        ),
        pytest.param(
            "deflate", flipped(zlib.compress(TEXT), -1), "data check", id="wrong-adler"
        ),
        pytest.param(
            "deflate", b"\x78\x00abc", "incorrect header", id="zlib-head-check"
        ),
        pytest.param("deflate", b"\x07\xff\xff", "block type", id="bare-block-type"),
        pytest.param("deflate, gzip", gz(b"\x78\x00"), "incorrect header", id="inner"),
    ],
)
def test_corrupt_body_is_an_error_that_says_why(
    coding: str, encoded: bytes, reason: str
) -> None:
    for pieces in ([encoded], [encoded[i : i + 1] for i in range(len(encoded))]):
        with pytest.raises(DecodeError, match=reason) as caught:
            decode(coding, pieces)
        assert 0 < caught.value.offset <= len(encoded)


def test_preset_dictionary_is_refused() -> None:
    packer = zlib.compressobj(zdict=b"some text")
    encoded = packer.compress(b"some text") + packer.flush()
    with pytest.raises(DecodeError, match="preset dictionary, which is refused"):
        decode("deflate", [encoded])


def test_what_was_decoded_before_the_damage_has_been_returned() -> None:
    decoder = made("gzip")
    encoded = flipped(gz(TEXT, 0), -8)
    head = b"".join(decoder.decode(encoded[i : i + 1], 100) for i in range(1000))
    assert TEXT.startswith(head)
    assert len(head) > 900


def test_a_bomb_gives_no_more_than_asked_for_in_each_step() -> None:
    decoder = made("gzip, gzip")
    bomb = gz(gz(bytes(20_000_000)))
    assert len(bomb) < 1000
    total = len(decoder.decode(bomb, 65536))
    steps = 1
    while decoder.pending:
        step = decoder.decode(b"", 65536)
        assert len(step) <= 65536
        total += len(step)
        steps += 1
    decoder.finish()
    assert total == 20_000_000
    assert steps < 1500


def test_many_empty_members_are_worked_off_in_steps() -> None:
    decoder = made("gzip")
    assert decoder.decode(gz(b"") * 200 + gz(b"end"), 100) == b""
    steps = 0
    out = b""
    while decoder.pending:
        out += decoder.decode(b"", 100)
        steps += 1
    decoder.finish()
    assert out == b"end"
    assert steps == 3


def test_input_that_comes_before_the_output_was_fetched_is_kept() -> None:
    encoded = gz(gz(TEXT) + gz(NOISE))
    decoder = made("gzip, gzip")
    out = b"".join(
        decoder.decode(encoded[i : i + 5], 3) for i in range(0, len(encoded), 5)
    )
    while decoder.pending:
        out += decoder.decode(b"", 3)
    decoder.finish()
    assert out == TEXT + NOISE


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_data_after_the_end_is_ignored_for_good(coding: str) -> None:
    decoder = made(coding)
    encoded = gz(b"x") if coding == "gzip" else zlib.compress(b"x")
    assert decoder.decode(encoded + b"junk", 100) == b"x"
    assert decoder.decode(gz(b"y"), 100) == b""
    assert not decoder.pending
    decoder.finish()


@pytest.mark.parametrize("value", ["", "identity", " , Identity", "br2", "gzip, nope"])
def test_nothing_to_undo_or_an_unknown_coding_leaves_the_body_alone(value: str) -> None:
    assert make_decoder(value) is None


def test_a_long_list_of_codings_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"has 6 codings, allowed are 5"):
        make_decoder(", ".join(["gzip"] * 6))


def test_only_what_can_be_decoded_is_offered() -> None:
    for name in ACCEPT_ENCODING.split(", "):
        assert make_decoder(name) is not None


def capped(coding: str, pieces: Iterable[bytes], out: list[bytes]) -> None:
    """Decode up to 10 bytes."""
    decoder = make_decoder(coding, 10)
    assert decoder is not None
    for piece in pieces:
        out.append(decoder.decode(piece, 7))
        while decoder.pending:
            out.append(decoder.decode(b"", 7))
    decoder.finish()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "deflate, gzip"])
@pytest.mark.parametrize("size", [0, 9, 10, 11, 100_000])
def test_a_cap_is_what_the_body_may_have_and_not_a_byte_more(
    coding: str, size: int
) -> None:
    data = b"x" * size
    for name in coding.split(", "):
        data = gzip.compress(data) if name == "gzip" else zlib.compress(data)
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):
        out: list[bytes] = []
        if size <= 10:
            capped(coding, pieces, out)
            assert b"".join(out) == b"x" * size
            continue
        with pytest.raises(DecodeError, match="more than 10 bytes, which is") as caught:
            capped(coding, pieces, out)
        assert caught.value.is_too_large
        assert len(b"".join(out)) <= 10


def test_a_cap_on_nothing_to_undo_is_nothing() -> None:
    assert make_decoder("identity", 5) is None
