"""Multipart bodies are written byte for byte as RFC 2046 and RFC 7578 say."""

from __future__ import annotations

import asyncio
import binascii
import io
import zlib
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from windtunnel._base.compat import override
from windtunnel._body.multipart_write import MultipartWriter
from windtunnel._body.payload_base import Payload, PayloadWriter
from windtunnel._body.payload_memory import BytesPayload, StringPayload
from windtunnel._body.payloads import make_payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Sink:
    def __init__(self) -> None:
        self.data = b""

    async def write(self, chunk: bytes) -> None:
        self.data += chunk


async def written(writer: Any, **options: Any) -> bytes:
    sink = Sink()
    await writer.write(sink, **options)
    return sink.data


async def ticks() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


def everything(module: Any, path: Path) -> Any:
    writer = module.MultipartWriter("mixed", boundary="B")
    with writer as same:
        assert same is writer
    writer.append("héllo")
    writer.append(b"bytes", {"X-A": "1"})
    writer.append_json({"a": 1})
    writer.append_form([("a", "b c"), ("d", "é")])
    writer.append_form({"a": "1"})
    writer.append(io.BytesIO(b"bio"))
    writer.append(io.StringIO("sio"))
    writer.append(path.open("rb"))
    inner = module.MultipartWriter("related", "C")
    inner.append("in")
    writer.append(inner)
    return writer


class Ours:
    MultipartWriter = MultipartWriter


def close_files(writer: Any) -> None:
    for part, _, _ in writer:
        value: Any = getattr(part, "_value", None)
        if hasattr(value, "close"):
            value.close()


def test_parts_of_all_kinds_are_written_like_those_of_aiohttp(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    path.write_bytes(b"FILE")

    async def main() -> None:
        results: list[Any] = []
        for module in (Ours, aiohttp):
            writer = everything(module, path)
            body = await written(writer)
            assert len(body) == writer.size
            results.append((body, dict(writer.headers), len(writer), bool(writer)))
            close_files(writer)
        assert results[0] == results[1]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        ("a" * 50, {"Content-Encoding": "gzip"}),
        ("a" * 50, {"Content-Encoding": "deflate"}),
        ("d", {"Content-Encoding": "identity"}),
        ("b\n=é ", {"Content-Transfer-Encoding": "base64"}),
        ("b\n=é ", {"Content-Transfer-Encoding": "quoted-printable"}),
        ("d", {"Content-Encoding": "deflate", "Content-Transfer-Encoding": "binary"}),
        ("d", {"Content-Encoding": "gzip", "Content-Transfer-Encoding": "base64"}),
    ],
)
def test_encoded_part_is_that_of_aiohttp(value: str, headers: dict[str, str]) -> None:
    async def main() -> None:
        results: list[Any] = []
        for module in (Ours, aiohttp):
            writer = module.MultipartWriter(boundary="B")
            writer.append(value, headers)
            codings = [(coding, transfer) for _, coding, transfer in writer]
            results.append((await written(writer), writer.size, codings))
        assert results[0] == results[1]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("data", "written"),
    [
        pytest.param(b"a\nb\n", b"a\nb\n", id="lf"),
        pytest.param(b"a\r\nb", b"a\r\nb", id="crlf"),
        pytest.param(b"a\nb\r\n", b"a=0Ab=0D=0A", id="both"),
        pytest.param(b"a\rb", b"a=0Db", id="cr"),
        pytest.param(b"a\r\nb\r", b"a=0D=0Ab=0D", id="crlf-and-cr"),
    ],
)
def test_line_ends_survive_quoted_printable(data: bytes, written: bytes) -> None:
    writer = MultipartWriter(boundary="B")
    writer.append(data, {"Content-Transfer-Encoding": "quoted-printable"})
    body = asyncio.run(writer.as_bytes()).partition(b"\r\n\r\n")[2]
    assert body == written + b"\r\n--B--\r\n"
    assert binascii.a2b_qp(written) == data


def test_base64_and_coding_go_over_pieces() -> None:
    async def main() -> None:
        writer = MultipartWriter(boundary="B")
        writer.append(ticks(), {"Content-Transfer-Encoding": "base64"})
        writer.append(ticks(), {"Content-Encoding": "deflate"})
        body = await writer.as_bytes()
        assert b"\r\n\r\nb25ldHdv\r\n--B" in body
        packed = body.split(b"\r\n\r\n")[2].removesuffix(b"\r\n--B--\r\n")
        assert zlib.decompress(packed, -15) == b"onetwo"
        assert not writer.replayable
        assert writer.consumed

    asyncio.run(main())


def test_form_data_needs_names_and_no_lengths() -> None:
    async def main() -> None:
        for module in (Ours, aiohttp):
            writer = module.MultipartWriter("form-data", boundary="B")
            writer.append("a")
            writer.append("b", {"Content-Disposition": 'form-data; name="x"'})
            assert await written(writer) == (
                b"--B\r\nContent-Type: text/plain; charset=utf-8\r\n"
                b'Content-Disposition: form-data; name="section-0"\r\n\r\na\r\n'
                b"--B\r\nContent-Type: text/plain; charset=utf-8\r\n"
                b'Content-Disposition: form-data; name="x"\r\n\r\nb\r\n--B--\r\n'
            )
        writer = MultipartWriter("form-data")
        for name in ("Content-Length", "Content-Encoding", "Content-Transfer-Encoding"):
            with pytest.raises(ValueError, match=f"{name} is not allowed"):
                writer.append("x", {name: "3"})

    asyncio.run(main())


def test_no_parts_are_a_last_boundary_which_can_be_left_out() -> None:
    async def main() -> None:
        writer = MultipartWriter(boundary="B")
        assert (await writer.as_bytes(), writer.size) == (b"--B--\r\n", 7)
        assert await written(writer, close_boundary=False) == b""
        assert writer
        assert len(writer) == 0

    asyncio.run(main())


def test_default_boundary_is_fresh_and_needs_no_quotes() -> None:
    first, second = MultipartWriter(), MultipartWriter()
    assert first.boundary != second.boundary
    assert len(first.boundary) == 32
    assert first.content_type == f"multipart/mixed; boundary={first.boundary}"


@pytest.mark.parametrize(
    ("boundary", "parameter"),
    [
        ("a b", '"a b"'),
        ("a'()+_,-./:=?", '"a\'()+_,-./:=?"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("a" * 70, "a" * 70),
    ],
)
def test_boundary_is_quoted_if_needed(boundary: str, parameter: str) -> None:
    writer = MultipartWriter(boundary=boundary)
    assert writer.content_type == f"multipart/mixed; boundary={parameter}"
    assert (
        writer.content_type == aiohttp.MultipartWriter(boundary=boundary).content_type
    )


@pytest.mark.parametrize("boundary", ["é", "", "a" * 71, "a\r\nb", "a "])
def test_boundary_that_cannot_be_used_is_refused(boundary: str) -> None:
    with pytest.raises(ValueError, match=r"ASCII only|invalid characters"):
        MultipartWriter(boundary=boundary)


def test_subtype_that_would_leave_its_header_is_refused() -> None:
    with pytest.raises(ValueError, match="not a token"):
        MultipartWriter("x\r\ny")


@pytest.mark.parametrize(
    ("headers", "match"),
    [
        ({"Content-Encoding": "br"}, "unknown content encoding"),
        ({"Content-Transfer-Encoding": "8bit"}, "unknown content transfer encoding"),
    ],
)
def test_unknown_encoding_is_refused(headers: dict[str, str], match: str) -> None:
    with pytest.raises(RuntimeError, match=match):
        MultipartWriter().append("x", headers)


@pytest.mark.parametrize("value", [5, None, {"a": 1}])
def test_value_without_a_payload_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="Cannot create payload from"):
        MultipartWriter().append(value)


@pytest.mark.parametrize(
    "headers", [{"X": "a\r\nY: b"}, {"X Y": "a"}, {"X:": "a"}, {"": "a"}]
)
def test_header_that_would_be_two_is_refused(headers: dict[str, str]) -> None:
    writer = MultipartWriter()
    writer.append("x", headers)
    with pytest.raises(ValueError, match="not allowed there"):
        assert writer.size


def test_headers_of_a_payload_are_replaced() -> None:
    writer = MultipartWriter(boundary="B")
    payload = BytesPayload(b"x")
    assert writer.append(payload, {"Content-Type": "a/b"}) is payload
    assert [type(part) for part, _, _ in writer] == [BytesPayload]
    assert writer.decode() == (
        "--B\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx\r\n--B--\r\n"
    )


def test_small_body_is_put_together_and_a_large_one_given_in_pieces() -> None:
    async def main() -> None:
        small = MultipartWriter("form-data")
        small.append("a")
        small.append(io.BytesIO(b"b"))
        assert make_payload(small) is small
        bodies = [small.body]
        assert bodies == [await small.as_bytes()]
        small.append("c")
        bodies.append(small.body)
        assert bodies[1] is None
        large = MultipartWriter("form-data")
        for _ in range(5):
            large.append(b"x" * 40_000)
        assert make_payload(large).body is None
        pieces = [piece async for piece in large.pieces()]
        assert len(pieces) == 3
        assert sum(map(len, pieces)) == large.size
        unknown = MultipartWriter()
        unknown.append(ticks())
        assert make_payload(unknown).body is None
        assert unknown.size is None

    asyncio.run(main())


def test_slow_part_does_not_hold_back_what_is_before_it() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            await gate.wait()
            yield b"late"

        writer = MultipartWriter(boundary="B")
        writer.append("first")
        writer.append(slow())
        pieces = writer.pieces()
        assert b"first\r\n--B\r\n" in await anext(pieces)
        gate.set()
        assert [piece async for piece in pieces] == [b"late", b"\r\n--B--\r\n"]

    asyncio.run(main())


def test_closing_closes_the_parts() -> None:
    closed: list[str] = []

    class Closing(Payload):
        @override
        def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
            return ""

        @override
        async def write(self, writer: PayloadWriter) -> None:
            await writer.write(b"")

        @override
        async def close(self) -> None:
            closed.append("closed")

    writer = MultipartWriter()
    writer.append(StringPayload("x"))
    closes = [writer.closes]
    writer.append(Closing(None))
    closes.append(writer.closes)
    asyncio.run(writer.close())
    assert closes == [False, True]
    assert closed == ["closed"]
