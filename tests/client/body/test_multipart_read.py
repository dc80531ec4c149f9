"""Multipart bodies are read as RFC 2046 says, however they are cut."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.client.body.multipart_support import FORM, MIXED, contents, stream_of
from tests.client.support import cuts
from windtunnel._body.multipart_part import BodyPartReader
from windtunnel._body.multipart_read import MultipartReader
from windtunnel._body.multipart_write import MultipartWriter
from windtunnel.http_exceptions import LineTooLong


def plain(*bodies: bytes) -> list[Any]:
    return [({}, None, None, body) for body in bodies]


def transferred(name: str, body: bytes) -> list[Any]:
    return [({"Content-Transfer-Encoding": name}, None, None, body)]


BODIES: list[Any] = [
    pytest.param(b"--B\r\n\r\na\r\n--B--\r\n", plain(b"a"), id="one-part"),
    pytest.param(b"--B\r\n\r\na\r\n--B--", plain(b"a"), id="no-last-newline"),
    pytest.param(b"--B--\r\n", [], id="no-parts"),
    pytest.param(
        b"pre\r\n--Bx\r\n--\r\n--B\r\nX:y\r\n\r\na\r\n--B--\r\nepi\r\n--B\r\n\r\nb",
        [({"X": "y"}, None, None, b"a")],
        id="preamble-and-epilogue",
    ),
    pytest.param(
        b"--B  \r\n\r\na\r\n--B \t\r\n\r\nb\r\n--B-- \r\n",
        plain(b"a", b"b"),
        id="padding",
    ),
    pytest.param(
        b"--B\r\n\r\na\r\n--\r\n--\r\n\r\n--B--\r\n",
        plain(b"a\r\n--\r\n--\r\n"),
        id="lines-like-a-boundary",
    ),
    pytest.param(b"--B\r\n\r\n\r\n--B--\r\n", plain(b""), id="empty-part"),
    pytest.param(
        b"--B\r\nX: y\r\n\r\n--B--\r\n",
        [({"X": "y"}, None, None, b"")],
        id="part-without-body",
    ),
    pytest.param(b"--B\r\n\r\na\r\r\n--B--\r\n", plain(b"a\r"), id="data-ends-with-cr"),
    pytest.param(
        b"--B\r\nContent-Transfer-Encoding: base64\r\n\r\nYgo9\r\nw6k=\r\n--B--\r\n",
        transferred("base64", "b\n=é".encode()),
        id="base64",
    ),
    pytest.param(
        b"--B\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nb=3D=\r\nx\r\n"
        b"--B--\r\n",
        transferred("quoted-printable", b"b=x"),
        id="quoted-printable",
    ),
    pytest.param(
        b"--B\r\nContent-Transfer-Encoding: 8bit\r\n\r\nb\r\n--B--\r\n",
        transferred("8bit", b"b"),
        id="8bit",
    ),
    pytest.param(
        b"--B\r\nContent-Type: multipart/related; boundary=C\r\n\r\n"
        b"--C\r\n\r\nin\r\n--C--\r\nepi\r\n--B\r\n\r\nout\r\n--B--\r\n",
        [plain(b"in"), *plain(b"out")],
        id="nested",
    ),
    pytest.param(
        '--B\r\nContent-Disposition: form-data; name="имя"; filename="é%22.txt"'
        "\r\n\r\nabc\r\n--B--\r\n".encode(),
        [
            (
                {"Content-Disposition": 'form-data; name="имя"; filename="é%22.txt"'},
                "имя",
                "é%22.txt",
                b"abc",
            )
        ],
        id="names",
    ),
]

# Where RFC 2046 is clear and aiohttp gives an error.
MORE: list[Any] = [
    pytest.param(b"--B\nX: y\n\na\nb\n--B--\n", [({"X": "y"}, None, None, b"a\nb")]),
    pytest.param(b"--B\r\n\r\na\r\n--Bx\r\nb\r\n--B--\r\n", plain(b"a\r\n--Bx\r\nb")),
    pytest.param(
        b"--B\r\nContent-Length: 1\r\n\r\nabc\r\n--B--\r\n",
        [({"Content-Length": "1"}, None, None, b"abc")],
    ),
    pytest.param(
        b"--B\r\n\r\na\r\n--B" + b" " * 300 + b"\r\nb\r\n--B--",
        plain(b"a\r\n--B" + b" " * 300 + b"\r\nb"),
    ),
]


@pytest.mark.parametrize(("body", "expected"), BODIES)
def test_parts_are_those_that_aiohttp_reads(body: bytes, expected: list[Any]) -> None:
    async def main() -> None:
        theirs = aiohttp.MultipartReader(MIXED, stream_of([body], aiohttp.StreamReader))
        assert await contents(theirs) == expected

    asyncio.run(main())


@pytest.mark.parametrize(("body", "expected"), BODIES + MORE)
def test_parts_are_the_same_however_the_body_is_cut(
    body: bytes, expected: list[Any]
) -> None:
    async def main() -> None:
        for pieces in cuts(body):
            reader = MultipartReader(MIXED, stream_of(pieces))
            assert await contents(reader) == expected, pieces

    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "match"),
    [
        pytest.param(b"", "Could not find starting boundary", id="empty"),
        pytest.param(b"hello\r\n", "Could not find starting boundary", id="no-start"),
        pytest.param(b"--B", "Could not find starting boundary", id="half-a-boundary"),
        pytest.param(
            b"--B\r\n\r\na\r\n--B\r\n\r\nbcd", "without its boundary", id="end"
        ),
        pytest.param(b"--B\r\n\r\na\r\n--B", "without its boundary", id="no-line-end"),
        pytest.param(b"--B\r\n\r\na\r\n--B\r\n", "within the headers", id="no-headers"),
        pytest.param(b"--B\r\nX: a", "within the headers", id="half-a-header"),
        pytest.param(b"--B\r\nfoo\r\n\r\na\r\n--B--", "is not name: value", id="name"),
        pytest.param(
            b"--B\r\nX: a\r\n b\r\n\r\na\r\n--B--", "is not name: value", id="folded"
        ),
        pytest.param(
            b"--B\r\n" + b"X: a\r\n" * 129 + b"\r\na\r\n--B--",
            "Too many headers",
            id="n",
        ),
        pytest.param(
            b"--B\r\nContent-Type: multipart/a; boundary=C\r\n\r\n--C\r\n\r\nin\r\n"
            b"--B--\r\n",
            "without its boundary",
            id="nested-without-end",
        ),
    ],
)
def test_body_that_breaks_the_rules_is_an_error(body: bytes, match: str) -> None:
    async def main() -> None:
        for pieces in ([body], [body[i : i + 1] for i in range(len(body))]):
            with pytest.raises(ValueError, match=match):
                await contents(MultipartReader(MIXED, stream_of(pieces)))

    asyncio.run(main())


@pytest.mark.parametrize("size", [20, 21])
def test_header_line_has_a_limit(size: int) -> None:
    async def main() -> None:
        line = b"X: " + b"a" * (size - 3)
        body = b"--B\r\n" + line + b"\r\n\r\nabc\r\n--B--\r\n"
        for pieces in ([body], [body[i : i + 1] for i in range(len(body))]):
            reader = MultipartReader(MIXED, stream_of(pieces), max_field_size=20)
            if size <= 20:
                assert len(await contents(reader)) == 1
            else:
                with pytest.raises(LineTooLong, match="more than 20 bytes"):
                    await reader.next()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("field", "match"),
    [
        (None, "content type expected"),
        ("text/plain", "content type expected"),
        ("multipart/mixed", "boundary missed"),
        ('multipart/mixed; boundary=""', "boundary missed"),
        ("multipart/mixed; boundary=" + "a" * 71, "71 characters"),
    ],
)
def test_type_without_a_usable_boundary_is_refused(
    field: str | None, match: str
) -> None:
    async def main() -> None:
        headers = {} if field is None else {"Content-Type": field}
        with pytest.raises(ValueError, match=match):
            MultipartReader(headers, stream_of([b""]))

    asyncio.run(main())


def test_charset_field_of_a_form_counts_for_the_others() -> None:
    async def main() -> None:
        body = (
            b"--B\r\nContent-Disposition: form-data; name=_charset_\r\n\r\n%b\r\n"
            b"--B\r\nContent-Disposition: form-data; name=x\r\n\r\n\xe9\r\n--B--\r\n"
        )
        reader = MultipartReader(FORM, stream_of([body % b"latin-1"]))
        part = await reader.next()
        assert isinstance(part, BodyPartReader)
        assert (part.name, part.get_charset("utf-8")) == ("x", "latin-1")
        assert await part.text() == "é"
        with pytest.raises(ValueError, match="Invalid default charset"):
            await MultipartReader(FORM, stream_of([body % (b"a" * 32)])).next()
        part = await MultipartReader(MIXED, stream_of([body % b"x"])).next()
        assert isinstance(part, BodyPartReader)
        assert part.name == "_charset_"

    asyncio.run(main())


def test_parts_that_are_not_read_are_skipped() -> None:
    async def main() -> None:
        body = b"--B\r\n\r\na\r\n--B\r\n\r\nb\r\n--B--\r\n"
        reader = MultipartReader(MIXED, stream_of([body]))
        await reader.release()
        assert reader.at_eof()
        parts = [part async for part in MultipartReader(MIXED, stream_of([body]))]
        assert len(parts) == 2

    asyncio.run(main())


def test_nested_reader_can_be_of_another_class() -> None:
    class Inner(MultipartReader):
        pass

    class Outer(MultipartReader):
        multipart_reader_cls = Inner  # type: ignore[mutable-override]  # as users do

    async def main() -> None:
        writer = MultipartWriter()
        inner = MultipartWriter("related")
        inner.append("x")
        writer.append(inner)
        reader = Outer(writer.headers, stream_of([await writer.as_bytes()]))
        part = await reader.next()
        assert type(part) is Inner
        assert await reader.next() is None

    asyncio.run(main())


def test_response_is_released_after_the_last_part() -> None:
    class Response:
        headers = MIXED
        released = 0

        def __init__(self, content: Any) -> None:
            self.content = content

        async def release(self) -> None:
            self.released += 1

    async def main() -> None:
        response = Response(stream_of([b"--B\r\n\r\na\r\n--B--\r\n"]))
        wrapper = MultipartReader.from_response(response)
        assert not wrapper.at_eof()
        bodies = [await part.read() async for part in wrapper]  # type: ignore[union-attr]  # no nested ones
        assert bodies == [b"a"]
        assert wrapper.at_eof()
        assert response.released == 1

    asyncio.run(main())
