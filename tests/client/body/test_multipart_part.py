"""One part of a multipart body: its data, its encodings, its names."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

import pytest

from tests.client.body.multipart_support import FORM, MIXED, stream_of
from windtunnel._body.multipart_part import BodyPartReader, BodyPartReaderPayload
from windtunnel._body.multipart_read import MultipartReader
from windtunnel._body.payload_registry import get_payload
from windtunnel._body.payloads import make_payload


async def part_of(
    body: bytes, header: bytes = b"", kind: dict[str, str] = FORM, **options: Any
) -> BodyPartReader:
    whole = b"--B\r\n" + header + b"\r\n" + body + b"\r\n--B--\r\n"
    part = await MultipartReader(kind, stream_of([whole]), **options).next()
    assert isinstance(part, BodyPartReader)
    return part


def test_part_is_read_as_text_json_and_form() -> None:
    async def main() -> None:
        part = await part_of(b'{"a": 1}')
        assert await part.json() == {"a": 1}
        assert part.at_eof()
        assert await part.json() is None
        assert await part.read() == b""
        part = await part_of(
            b"a=1&b=&c=%e9\r\n", b"Content-Type: x/y; charset=latin-1\r\n"
        )
        assert await part.form() == [("a", "1"), ("b", ""), ("c", "é")]
        assert await (await part_of(b"")).form() == []
        assert await (await part_of(b"\xe9")).text(encoding="latin-1") == "é"
        assert await (await part_of("é".encode())).text() == "é"
        with pytest.raises(UnicodeDecodeError):
            await (await part_of(b"\xe9")).form()

    asyncio.run(main())


def test_part_is_read_in_chunks_and_lines() -> None:
    async def main() -> None:
        part = await part_of(b"abc" * 10)
        assert await part.read_chunk(10) == b"abcabcabca"
        assert await part.read_chunk(1) == b"b"
        assert not part.at_eof()
        await part.release()
        assert part.at_eof()
        with pytest.raises(ValueError, match="chunk size 0 is not positive"):
            await part.read_chunk(0)
        part = await part_of(b"l1\nl2\r\nl3")
        assert await part.readline() == b"l1\n"
        assert not part.at_eof()
        assert await part.read_chunk(2) == b"l2"
        assert [await part.readline() for _ in range(3)] == [b"\r\n", b"l3", b""]
        part = await part_of(b"l1\nl2")
        assert await part.readline() == b"l1\n"
        await part.release()
        assert part.at_eof()
        assert [data async for data in await part_of(b"abc")] == [b"abc"]

    asyncio.run(main())


def test_chunks_of_base64_are_whole_groups() -> None:
    async def main() -> None:
        part = await part_of(
            b"YWJj\r\nZGVm\r\nZw==", b"Content-Transfer-Encoding: base64\r\n", MIXED
        )
        chunks: list[bytes] = []
        while chunk := await part.read_chunk(5):
            chunks.append(part.decode(chunk))
        assert b"".join(chunks) == b"abcdefg"
        part = await part_of(b"YWJ", b"Content-Transfer-Encoding: base64\r\n", MIXED)
        assert await part.read_chunk(2) == b"YWJ"

    asyncio.run(main())


def test_limit_holds_for_the_encoded_and_the_decoded_part() -> None:
    async def main() -> None:
        packed = gzip.compress(b"a" * 10_000)
        header = b"Content-Encoding: gzip\r\n"
        part = await part_of(packed, header, MIXED, client_max_size=5000)
        assert len(await part.read()) == len(packed)
        part = await part_of(packed, header, MIXED, client_max_size=5000)
        with pytest.raises(ValueError, match="more than 5000 bytes"):
            await part.read(decode=True)
        for method in ("read", "readline"):
            part = await part_of(
                b"a" * 101, client_max_size=100, max_size_error_cls=OSError
            )
            with pytest.raises(OSError, match="more than 100 bytes"):
                await getattr(part, method)()
        assert await (await part_of(b"a" * 100, client_max_size=100)).read()

    asyncio.run(main())


def test_content_coding_of_a_part_is_undone_but_not_in_forms() -> None:
    async def main() -> None:
        packer = zlib.compressobj(wbits=-15)
        bare = packer.compress(b"x") + packer.flush()
        for name, data in (("deflate", bare), ("GZip", gzip.compress(b"x"))):
            header = f"Content-Encoding: {name}\r\n".encode()
            assert await (await part_of(data, header, MIXED)).read(decode=True) == b"x"
            assert await (await part_of(data, header)).read(decode=True) == data
        header = b"Content-Encoding: gzip\r\n"
        part = await part_of(gzip.compress(b"x")[:-3], header, MIXED)
        with pytest.raises(ValueError, match="before its end mark"):
            await part.read(decode=True)
        part = await part_of(b"x", b"Content-Encoding: zz\r\n", MIXED)
        with pytest.raises(RuntimeError, match="unknown content encoding"):
            await part.read(decode=True)
        part = await part_of(b"x", b"Content-Transfer-Encoding: zz\r\n", MIXED)
        with pytest.raises(RuntimeError, match="unknown content transfer encoding"):
            await part.read(decode=True)
        part = await part_of(b"x", b"Content-Encoding: identity\r\n", MIXED)
        assert [piece async for piece in part.decode_iter(b"x")] == [b"x"]

    asyncio.run(main())


def test_part_can_be_made_over_a_stream() -> None:
    async def main() -> None:
        part = BodyPartReader(b"--B", {}, stream_of([b"abc\r\n--B--"]))
        assert await part.next() == b"abc"
        assert await part.next() is None

    asyncio.run(main())


def test_part_is_sent_on_decoded() -> None:
    async def main() -> None:
        part = await part_of(b"abc", b'Content-Disposition: form-data; name="n"\r\n')
        payload = get_payload(part)
        assert type(payload) is BodyPartReaderPayload
        assert payload.headers["Content-Disposition"] == 'attachment; name="n"'
        assert not payload.replayable
        assert await payload.as_bytes() == b"abc"
        assert payload.consumed
        with pytest.raises(TypeError, match="Unable to decode"):
            payload.decode()
        part = await part_of(b"YQ==", b"Content-Transfer-Encoding: base64\r\n", MIXED)
        assert await make_payload(part).as_bytes() == b"a"

    asyncio.run(main())
