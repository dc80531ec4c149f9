"""Content codings: whole, in pieces, several in a row, and damaged."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from windtunnel_fakeserver import Encoding, Pause, Reply, Request, pause
from windtunnel_fakeserver._script.plan import Piece, plan_reply

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = b"windtunnel " * 20


def pieces(reply: Reply, method: str = "GET") -> tuple[Piece, ...]:
    asked = Request(method, "/", "HTTP/1.1", [], b"", b"", complete=True)
    return plan_reply(reply, asked).pieces


def parts(reply: Reply, method: str = "GET") -> tuple[bytes, bytes]:
    data = b"".join(p for p in pieces(reply, method) if isinstance(p, bytes))
    head, _, body = data.partition(b"\r\n\r\n")
    return head + b"\r\n", body


def inflate_raw(data: bytes) -> bytes:
    return zlib.decompress(data, -15)


def decode_both(data: bytes) -> bytes:
    return zlib.decompress(gzip.decompress(data))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Encoding("br"),
            r"Encoding\('br'\): must be one of gzip, x-gzip, defl",
        ),
        (lambda: Reply(encoding=[]), r"Encoding\(''\): must be one of"),
        (lambda: Encoding("gzip", cut=-1), r"cut=-1\): must be >= 0"),
        (lambda: Reply(encoding=Encoding("gzip", cut=21)), "only 20 encoded bytes"),
        (lambda: Reply(encoding=Encoding("gzip", flip=20)), "only 20 encoded bytes"),
        (lambda: Reply(encoding=Encoding("gzip", flip=-21)), "only 20 encoded bytes"),
        (lambda: Reply(length=-1), r"Reply\(length=-1\): must be >= 0"),
    ],
    ids=["unknown", "none", "cut", "cut-much", "flip-far", "flip-before", "length"],
)
def test_wrong_words_are_refused_at_the_call(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("encoding", "field", "decode"),
    [
        pytest.param("gzip", b"gzip", gzip.decompress, id="gzip"),
        pytest.param("x-gzip", b"x-gzip", gzip.decompress, id="x-gzip"),
        pytest.param("deflate", b"deflate", zlib.decompress, id="deflate"),
        pytest.param(
            Encoding("deflate", raw=True),
            b"deflate",
            inflate_raw,
            id="raw-deflate",
        ),
        pytest.param(
            ["deflate", "gzip"],
            b"deflate, gzip",
            decode_both,
            id="two",
        ),
    ],
)
def test_a_body_is_encoded_and_says_so(
    encoding: str | list[str] | Encoding,
    field: bytes,
    decode: Callable[[bytes], bytes],
) -> None:
    head, body = parts(Reply(body=TEXT, encoding=encoding))
    assert b"Content-Encoding: " + field + b"\r\n" in head
    assert b"Content-Length: %d\r\n" % len(body) in head
    assert decode(body) == TEXT


def test_gzip_bytes_name_no_time_and_no_system() -> None:
    _, body = parts(Reply(body=TEXT, encoding="gzip"))
    assert body[3:10] == b"\0\0\0\0\0\0\xff"


def test_a_field_of_the_authors_own_wins() -> None:
    reply = Reply(headers={"content-encoding": "br"}, body=TEXT, encoding="gzip")
    head, _ = parts(reply)
    assert head.lower().count(b"content-encoding") == 1


@pytest.mark.parametrize(("status", "method"), [(204, "GET"), (304, "GET")])
def test_a_status_without_body_names_no_encoding(status: int, method: str) -> None:
    head, body = parts(Reply(status, encoding="gzip"), method)
    assert b"Content-Encoding" not in head
    assert body == b""


def test_an_empty_body_is_encoded_too() -> None:
    _, body = parts(Reply(encoding="gzip"))
    assert gzip.decompress(body) == b""


def test_each_chunk_can_be_decoded_when_it_has_come() -> None:
    reply = Reply(
        headers={"content-length": "0"},
        chunks=[b"one", pause(1), b"two"],
        encoding=["deflate", "gzip"],
    )
    _, first, silence, second = pieces(reply)
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    assert silence == Pause(1)
    outer, inner = zlib.decompressobj(31), zlib.decompressobj()
    assert inner.decompress(outer.decompress(first)) == b"one"
    assert inner.decompress(outer.decompress(second)) == b"two"
    assert outer.eof
    assert inner.eof


def test_pauses_alone_are_followed_by_the_encoded_nothing() -> None:
    reply = Reply(length=20, chunks=[pause(1)], encoding="gzip")
    head, silence, body = pieces(reply)
    assert isinstance(head, bytes)
    assert isinstance(body, bytes)
    assert silence == Pause(1)
    assert gzip.decompress(body) == b""


def test_a_truncated_stream_lacks_its_last_bytes() -> None:
    _, whole = parts(Reply(body=TEXT, encoding="gzip"))
    _, short = parts(Reply(body=TEXT, encoding=Encoding("gzip", cut=3)))
    assert short == whole[:-3]
    with pytest.raises(EOFError):
        gzip.decompress(short)


@pytest.mark.parametrize(
    ("flip", "error"),
    [
        pytest.param(0, "Not a gzipped file", id="magic"),
        pytest.param(-8, "CRC check failed", id="checksum"),
        pytest.param(-1, "Incorrect length", id="length"),
    ],
)
def test_a_corrupt_stream_has_one_wrong_byte(flip: int, error: str) -> None:
    _, body = parts(Reply(body=TEXT, encoding=Encoding("gzip", flip=flip)))
    with pytest.raises(gzip.BadGzipFile, match=error):
        gzip.decompress(body)


def test_bytes_can_follow_the_end() -> None:
    _, body = parts(Reply(body=TEXT, encoding=Encoding("gzip", tail=b"more")))
    packer = zlib.decompressobj(31)
    assert packer.decompress(body) == TEXT
    assert packer.unused_data == b"more"


def test_damage_in_pieces_hits_the_same_bytes_as_in_one() -> None:
    encoding = Encoding("gzip", cut=9, flip=10, tail=b"x")
    halves = encoding.encode([TEXT, TEXT])
    clean = Encoding("gzip").encode([TEXT, TEXT])
    data, wanted = b"".join(halves), bytearray(b"".join(clean))
    wanted[10] ^= 0xFF
    assert data == bytes(wanted[:-9]) + b"x"
    assert len(halves[0]) == len(clean[0])


@pytest.mark.parametrize("length", [0, 2, 9])
def test_a_length_is_told_as_it_is_given(length: int) -> None:
    reply = Reply(body=b"abc", length=length)
    head, body = parts(reply)
    assert b"Content-Length: %d\r\n" % length in head
    assert body == b"abc"
    assert repr(reply) == f"Reply(200, body=<3 bytes>, length={length})"


def test_an_encoding_is_shown_as_it_would_be_typed() -> None:
    encoding = Encoding("deflate", "gzip", raw=True, cut=1, flip=2, tail=b"x")
    shown = 'Encoding("deflate", "gzip", raw=True, cut=1, flip=2, tail=<1 bytes>)'
    assert repr(encoding) == shown
    assert repr(Reply(encoding="gzip")).endswith('encoding=Encoding("gzip"))')
