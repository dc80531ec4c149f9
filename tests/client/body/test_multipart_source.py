"""What is written as multipart is read back, whatever is in it, however it is cut."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given, settings, strategies as st

from windtunnel._body.formdata import FormData
from windtunnel._body.multipart_part import BodyPartReader
from windtunnel._body.multipart_read import MultipartReader
from windtunnel._body.multipart_source import MultipartSource
from windtunnel._body.multipart_write import MultipartWriter
from windtunnel.http_exceptions import LineTooLong

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PIECES = st.lists(st.integers(1, 40), min_size=1, max_size=8)
# Data made of what boundaries are made of.
DATA = st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"--", b"B", b"--B", b"\r\n--B", b" ", b"x"]),
    max_size=12,
).map(b"".join)


def reading(data: bytes, sizes: list[int]) -> Callable[[int], Awaitable[bytes]]:
    """A read function that gives the data in pieces of these sizes."""
    left = io.BytesIO(data)
    turn = 0

    async def read(n: int) -> bytes:
        nonlocal turn
        turn += 1
        return left.read(min(n, sizes[turn % len(sizes)]))

    return read


class Sink:
    data = b""

    async def write(self, chunk: bytes) -> None:
        self.data += chunk


class Content:
    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.read = reading(data, sizes)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(DATA, max_size=4), PIECES, st.integers(1, 50))
def test_parts_survive_the_round_trip(
    bodies: list[bytes], sizes: list[int], step: int
) -> None:
    async def main() -> None:
        writer = MultipartWriter(boundary="Boundary")
        for body in bodies:
            writer.append(body)
        whole = await writer.as_bytes()
        assert len(whole) == writer.size
        content: Any = Content(whole, sizes)
        read: list[bytes] = []
        async for part in MultipartReader(writer.headers, content):
            assert isinstance(part, BodyPartReader)
            data = b""
            while chunk := await part.read_chunk(step):
                assert len(chunk) <= step
                data += chunk
            read.append(data)
        assert read == bodies

    asyncio.run(main())


@settings(derandomize=True, deadline=None, max_examples=100)
@given(DATA, PIECES)
def test_data_that_contains_beginnings_of_the_boundary_is_cut_at_the_first_one(
    data: bytes, sizes: list[int]
) -> None:
    async def main() -> None:
        body = b"--Bo\r\n\r\n" + data + b"\r\n--Bo--\r\n"
        content: Any = Content(body, sizes)
        reader = MultipartReader({"Content-Type": "multipart/a; boundary=Bo"}, content)
        part = await reader.next()
        assert isinstance(part, BodyPartReader)
        assert await part.read() == data
        assert await reader.next() is None

    asyncio.run(main())


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"), min_size=1
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(NAMES, st.text(st.characters(exclude_categories=["Cs"])))))
def test_form_survives_the_round_trip(fields: list[tuple[str, str]]) -> None:
    async def main() -> None:
        form = FormData(fields, default_to_multipart=True)()
        content: Any = Content(await form.as_bytes(), [7, 100])
        read: list[tuple[str | None, str]] = []
        async for part in MultipartReader(form.headers, content):
            assert isinstance(part, BodyPartReader)
            read.append((part.name, await part.text()))
        # The quote is escaped as browsers do, and servers see it so.
        assert read == [(name.replace('"', "%22"), text) for name, text in fields]

    asyncio.run(main())


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=50), min_size=1, max_size=3))
def test_aiohttp_reads_what_is_written_and_the_other_way_round(
    bodies: list[bytes],
) -> None:
    class Source:
        _reading_paused = False

        def resume_reading(self, resume_parser: bool = True) -> None:
            """Nothing."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours: Any = MultipartWriter()
        theirs: Any = aiohttp.MultipartWriter()
        for body in bodies:
            ours.append(body, {"Content-Transfer-Encoding": "base64"})
            theirs.append(body, {"Content-Transfer-Encoding": "base64"})
        source: Any = Source()
        stream = aiohttp.StreamReader(source, 2**16, loop=loop)
        stream.feed_data(await ours.as_bytes())
        stream.feed_eof()
        sink = Sink()
        await theirs.write(sink)
        content: Any = Content(sink.data, [13])
        for reader in (
            aiohttp.MultipartReader(ours.headers, stream),
            MultipartReader(theirs.headers, content),
        ):
            parts: Any = reader
            read = [bytes(await part.read(decode=True)) async for part in parts]
            assert read == bodies

    asyncio.run(main())


def test_source_gives_no_more_than_was_asked_for() -> None:
    async def main() -> None:
        source = MultipartSource(
            reading(b"--B\r\n" + b"a" * 100 + b"\r\n--B--", [1000])
        )
        assert await source.find_first(b"--B")
        assert await source.data(b"--B", 10, True) == b"a" * 10
        assert await source.data(b"--B", 90, False) == b"a" * 90
        assert not source.is_last
        assert await source.data(b"--B", 10, False) == b""
        assert source.is_last

    asyncio.run(main())


def test_long_preamble_and_epilogue_are_not_kept() -> None:
    async def main() -> None:
        body = b"p" * 200_000 + b"\r\n--B\r\n\r\na\r\n--B--\r\n" + b"e" * 200_000
        content: Any = Content(body, [70_000])
        reader = MultipartReader({"Content-Type": "multipart/a; boundary=B"}, content)
        part = await reader.next()
        assert isinstance(part, BodyPartReader)
        assert await part.read() == b"a"
        assert await reader.next() is None
        assert await content.read(1) == b""

    asyncio.run(main())


def source_of(data: bytes, size: int) -> MultipartSource:
    """A source that reads so many bytes at once."""
    return MultipartSource(reading(data, [size]))


EACH_SIZE = pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])


@EACH_SIZE
@pytest.mark.parametrize(
    ("data", "newline", "is_last"),
    [
        pytest.param(b"--B\r\nrest", b"\r\n", False, id="at-once"),
        pytest.param(b"--B\nrest", b"\n", False, id="lf"),
        pytest.param(b"--B \t\r\nrest", b"\r\n", False, id="padding"),
        pytest.param(b"--B--\r\nrest", b"\r\n", True, id="the-last-one"),
        pytest.param(
            b"a\r\n--Bx\r\n--\r\n\r\n--B\r\nrest", b"\r\n", False, id="preamble"
        ),
        pytest.param(b"x" * 300 + b"\r\n--B\r\nrest", b"\r\n", False, id="long-line"),
    ],
)
def test_the_first_boundary_is_found(
    data: bytes, newline: bytes, is_last: bool, size: int
) -> None:
    async def main() -> None:
        source = source_of(data + b"\r\n--B--", size)
        assert await source.find_first(b"--B")
        assert (source.newline, source.is_last) == (newline, is_last)

    asyncio.run(main())


@EACH_SIZE
@pytest.mark.parametrize(
    "data",
    [b"", b"--", b"--B", b"--Bx\r\n", b"x--B\r\n", b"--B" + b" " * 300 + b"\r\n"],
    ids=["empty", "half", "no-line-end", "other", "not-at-the-start", "padded"],
)
def test_what_is_no_boundary_line_is_none(data: bytes, size: int) -> None:
    assert not asyncio.run(source_of(data, size).find_first(b"--B"))


@EACH_SIZE
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"--B\r\n", b"", id="nothing"),
        pytest.param(b"\r\n--B\r\n", b"", id="empty"),
        pytest.param(b"ab\r\n--Bc\r\n-\r\n--B\r\n", b"ab\r\n--Bc\r\n-", id="almost"),
        pytest.param(b"ab\r\n--B--", b"ab", id="last-without-line-end"),
    ],
)
def test_data_goes_up_to_the_boundary(data: bytes, expected: bytes, size: int) -> None:
    async def main() -> None:
        source = source_of(data, size)
        out, is_start = b"", True
        while chunk := await source.data(b"--B", 3, is_start):
            assert len(chunk) <= 3
            out += chunk
            is_start = False
        assert out == expected

    asyncio.run(main())


async def all_of(source: MultipartSource) -> bytes:
    out = b""
    while chunk := await source.data(b"--B", 100, False):
        out += chunk
    return out


@EACH_SIZE
def test_data_without_a_boundary_is_an_error(size: int) -> None:
    with pytest.raises(ValueError, match="ends without its boundary"):
        asyncio.run(all_of(source_of(b"ab\r\n--B", size)))


@EACH_SIZE
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\r\n", {}, id="none"),
        pytest.param(b"A: b \r\nC:\td\n\r\n", {"A": "b", "C": "d"}, id="two"),
        pytest.param(b"A: \xff\r\n\n", {"A": "\udcff"}, id="bytes"),
    ],
)
def test_headers_of_a_part_are_read(
    data: bytes, expected: dict[str, str], size: int
) -> None:
    headers = asyncio.run(source_of(data + b"rest", size).headers(20, 2))
    assert dict(headers) == expected


@EACH_SIZE
@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        pytest.param(b"A\r\n\r\n", ValueError, "is not name: value", id="no-colon"),
        pytest.param(b"A b: c\r\n\r\n", ValueError, "is not name: value", id="name"),
        pytest.param(b"A: b\r\n", ValueError, "within the headers", id="end"),
        pytest.param(b"A: b\r\n" * 3, ValueError, "Too many headers", id="count"),
        pytest.param(b"A: " + b"b" * 18 + b"\r\n", LineTooLong, "than 20", id="long"),
        pytest.param(b"A: " + b"b" * 99, LineTooLong, "than 20", id="without-end"),
    ],
)
def test_headers_that_may_not_be_are_refused(
    data: bytes, error: type[Exception], match: str, size: int
) -> None:
    with pytest.raises(error, match=match):
        asyncio.run(source_of(data, size).headers(20, 2))
