"""What a caller gives as a body is sent with the right type, length and bytes."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import pytest
from multidict import MultiDict

from windtunnel._base.compat import override
from windtunnel._body.payloads import (
    Payload,
    compressed,
    json_payload,
    make_payload,
    request_payload,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

OCTETS = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
BIG = bytes(range(256)) * 2000


def collect(payload: Payload) -> list[bytes]:
    async def main() -> list[bytes]:
        return [piece async for piece in payload.pieces()]

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("data", "body", "content_type"),
    [
        pytest.param(b"abc", b"abc", OCTETS, id="bytes"),
        pytest.param(b"", b"", OCTETS, id="no-bytes"),
        pytest.param(bytearray(b"abc"), b"abc", OCTETS, id="bytearray"),
        pytest.param(memoryview(b"abc")[::2], b"ac", OCTETS, id="memoryview"),
        pytest.param("Тест", "Тест".encode(), TEXT, id="str"),
        pytest.param(io.StringIO("é"), "é".encode(), TEXT, id="stringio"),
        pytest.param(io.BytesIO(b"abc"), b"abc", OCTETS, id="bytesio"),
        pytest.param({"a": "b c"}, b"a=b+c", FORM, id="mapping"),
        pytest.param([("a", "b"), ("a", 1)], b"a=b&a=1", FORM, id="pairs"),
        pytest.param(MultiDict(a="b"), b"a=b", FORM, id="multidict"),
        pytest.param({}, b"", FORM, id="empty-form"),
        pytest.param([], b"", FORM, id="empty-list-is-an-empty-form"),
    ],
)
def test_body_in_memory_has_type_length_and_pieces(
    data: Any, body: bytes, content_type: str
) -> None:
    payload = make_payload(data)
    assert payload.body == body
    assert type(payload.body) is bytes
    assert payload.size == len(body)
    assert payload.content_type == content_type
    assert payload.replayable
    assert collect(payload) == ([body] if body else [])
    assert collect(payload) == ([body] if body else [])
    asyncio.run(payload.close())
    asyncio.run(payload.close())


def test_mutable_bytes_are_copied_at_the_call() -> None:
    data = bytearray(b"abc")
    payload = make_payload(data)
    data[:] = b"xyz"
    assert payload.body == b"abc"


def test_a_payload_is_taken_as_it_is() -> None:
    payload = make_payload(b"abc")
    assert make_payload(payload) is payload


@pytest.mark.parametrize("data", [5, None, object(), {1, 2}, (x for x in [b"a"])])
def test_what_cannot_be_sent_is_refused_with_what_is_allowed(data: Any) -> None:
    with pytest.raises(TypeError) as caught:
        make_payload(data)
    assert "bytes, str, a mapping or list of pairs, an open file" in str(caught.value)


def dumps_bytes(obj: Any) -> bytes:
    return json.dumps(obj, ensure_ascii=False).encode()


def dumps_text(obj: Any) -> str:
    return json.dumps(obj, ensure_ascii=False)


@pytest.mark.parametrize("dumps", [dumps_text, dumps_bytes])
def test_json_is_utf8_with_its_type(dumps: Callable[[Any], object]) -> None:
    payload = json_payload({"é": None}, dumps)
    body = '{"é": null}'.encode()
    assert (payload.body, payload.size) == (body, len(body))
    assert payload.content_type == "application/json"


def test_json_null_is_a_body() -> None:
    assert json_payload(None, json.dumps).body == b"null"


def test_json_serializer_that_gives_neither_str_nor_bytes_is_refused() -> None:
    with pytest.raises(TypeError, match="json serializer gave 5; allowed are str and"):
        json_payload({}, lambda obj: 5)


# --- asynchronous iterables ---------------------------------------------------------


class Source:
    """An asynchronous iterator that counts what happens to it."""

    def __init__(self, *pieces: Any) -> None:
        self.left = list(pieces)
        self.closed = False

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> Any:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)

    async def aclose(self) -> None:
        self.closed = True


def test_asynchronous_iterable_has_no_length_and_is_sent_once() -> None:
    source = Source(b"ab", b"", bytearray(b"cd"), memoryview(b"ef"))
    payload = make_payload(source)
    assert (payload.size, payload.body, payload.content_type) == (None, None, OCTETS)
    assert not payload.replayable
    assert collect(payload) == [b"ab", b"cd", b"ef"]
    assert source.closed
    with pytest.raises(RuntimeError, match="already sent once"):
        payload.pieces()


def test_asynchronous_generator_is_closed_when_the_sender_stops_early() -> None:
    events: list[str] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            yield b"second"
        finally:
            events.append("closed")

    async def main() -> None:
        pieces: Any = make_payload(body()).pieces()
        assert await anext(pieces) == b"first"
        await pieces.aclose()
        assert events == ["closed"]

    asyncio.run(main())


@pytest.mark.parametrize("piece", ["text", 5, None])
def test_piece_that_is_not_bytes_is_refused_with_its_number(piece: Any) -> None:
    payload = make_payload(Source(b"ok", piece))
    with pytest.raises(TypeError, match=r"piece 1 of the body is .*bytes-like"):
        collect(payload)


def test_content_of_a_response_is_passed_on_in_whole_pieces() -> None:
    class Content:
        def iter_any(self) -> Source:
            return Source(b"one\ntwo\n", b"three")

        def __aiter__(self) -> Source:  # by line, as a stream reader does
            return Source(b"one\n", b"two\n", b"three")

    assert collect(make_payload(Content())) == [b"one\ntwo\n", b"three"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: Source(*[bytes(65536)] * 64), id="iterable"),
        pytest.param(lambda: io.BytesIO(bytes(4 << 20)), id="memory-file"),
    ],
)
def test_body_that_never_waits_lets_other_tasks_run(data: Callable[[], Any]) -> None:
    async def main() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in make_payload(data()).pieces():
            pass
        task.cancel()
        return turns

    assert asyncio.run(main()) >= 3


# --- files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.txt", "text/plain"),
        ("a.json", "application/json"),
        ("a.tar.gz", OCTETS),
        ("a.no-such-suffix", OCTETS),
    ],
)
def test_binary_file_is_sent_from_its_position_with_the_type_of_its_name(
    tmp_path: Path, name: str, content_type: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"xx" + BIG)
    with path.open("rb") as file:
        file.seek(2)
        payload = make_payload(file)
        assert payload.size == len(BIG)
        assert payload.body is None
        assert payload.content_type == content_type
        pieces = collect(payload)
        assert b"".join(pieces) == BIG
        assert max(map(len, pieces)) <= 65536
        assert payload.replayable
        assert b"".join(collect(payload)) == BIG
        asyncio.run(payload.close())
        assert file.closed


@pytest.mark.parametrize("size", [65536, 524_288, 524_289, 1_300_000])
@pytest.mark.parametrize(("mode", "buffering"), [("rb", 0), ("rb", -1), ("r+b", -1)])
def test_every_kind_of_binary_file_gives_all_its_bytes_in_pieces(
    tmp_path: Path, mode: str, buffering: int, size: int
) -> None:
    path = tmp_path / "file"
    content = (BIG * 3)[:size]
    path.write_bytes(content)
    with path.open(mode, buffering) as file:
        payload = make_payload(file)
        assert payload.size == size
        pieces = collect(payload)
        assert b"".join(pieces) == content
        assert max(map(len, pieces)) == 65536


def test_file_whose_read_is_overridden_is_read_by_that(tmp_path: Path) -> None:
    class Counting(io.FileIO):
        count = 0

        @override
        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            assert piece is not None
            self.count += len(piece)
            return piece

    path = tmp_path / "file"
    path.write_bytes(BIG)
    with Counting(path) as file:
        assert b"".join(collect(make_payload(file))) == BIG
        assert file.count == len(BIG)


def test_empty_file_has_length_zero(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with path.open("rb") as file:
        payload = make_payload(file)
        assert payload.size == 0
        assert collect(payload) == []


def test_large_memory_file_is_sent_in_pieces_from_its_position() -> None:
    file = io.BytesIO(b"xx" + BIG)
    file.seek(2)
    payload = make_payload(file)
    assert payload.size == len(BIG)
    assert payload.body is None
    assert max(map(len, collect(payload))) == 65536
    assert b"".join(collect(payload)) == BIG


def test_memory_file_read_to_its_end_is_an_empty_body() -> None:
    file = io.BytesIO(b"abc")
    file.seek(10)
    assert make_payload(file).size == 0


def test_file_that_grows_is_sent_up_to_the_announced_length(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with path.open("rb") as file:
        payload = make_payload(file)
        with path.open("ab") as more:
            more.write(b"def")
        assert collect(payload) == [b"abc"]


def test_file_that_shrinks_is_an_error_that_says_how_much_is_missing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abcdef")
    with path.open("rb") as file:
        payload = make_payload(file)
        os.truncate(path, 2)
        with pytest.raises(EOFError, match="ended 4 bytes before the announced 6"):
            collect(payload)


@pytest.mark.parametrize("newline", [None, ""])
def test_small_text_file_is_sent_as_utf8_with_the_length_of_that(
    tmp_path: Path, newline: str | None
) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes("é\r\nx".encode("latin-1"))
    with path.open(encoding="latin-1", newline=newline) as file:
        payload = make_payload(file)
    expected = "é\nx" if newline is None else "é\r\nx"
    assert payload.body == expected.encode()
    assert payload.size == len(expected.encode())
    assert payload.content_type == TEXT


def test_large_text_file_is_sent_as_utf8_without_length(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("é\n" * 50_000, encoding="latin-1")
    with path.open(encoding="latin-1") as file:
        file.readline()
        payload = make_payload(file)
        assert payload.size is None
        for _ in range(2):
            assert b"".join(collect(payload)).decode() == "é\n" * 49_999


def test_compressed_file_is_sent_as_what_it_decodes_to(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(BIG))
    with gzip.open(path) as file:
        payload = make_payload(file)
        assert payload.size is None
        assert b"".join(collect(payload)) == BIG
        assert b"".join(collect(payload)) == BIG


def test_temporary_files_have_a_length() -> None:
    with (
        tempfile.NamedTemporaryFile() as named,
        tempfile.SpooledTemporaryFile() as spooled,
    ):
        for file in (named, spooled):
            file.write(b"xxabc")
            file.seek(2)
            payload = make_payload(file)
            assert payload.size == 3
            assert b"".join(collect(payload)) == b"abc"


def test_pipe_is_sent_as_it_comes_and_only_once() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as file:
        os.write(writing, b"first")
        payload = make_payload(file)
        assert payload.size is None
        assert not payload.replayable

        async def main() -> list[bytes]:
            out: list[bytes] = []
            async for piece in payload.pieces():
                out.append(piece)
                if len(out) == 1:
                    os.write(writing, b"second")
                    os.close(writing)
            return out

        assert asyncio.run(main()) == [b"first", b"second"]
        with pytest.raises(RuntimeError, match="cannot seek back"):
            payload.pieces()


def test_file_on_disk_is_read_on_a_thread(tmp_path: Path) -> None:
    threads: set[int] = set()

    class Recorder:
        def __init__(self) -> None:
            self.left = [b"ab", b"c"]

        def read(self, size: int) -> bytes:
            threads.add(threading.get_ident())
            assert size == 65536
            return self.left.pop(0) if self.left else b""

    payload = make_payload(Recorder())
    assert payload.size is None
    assert collect(payload) == [b"ab", b"c"]
    assert threading.get_ident() not in threads


def test_object_that_reads_text_is_sent_as_utf8() -> None:
    class Texts:
        name = 5

        def __init__(self) -> None:
            self.left = ["é", ""]

        def read(self, size: int) -> str:
            return self.left.pop(0)

    payload = make_payload(Texts())
    assert payload.content_type == OCTETS
    assert collect(payload) == ["é".encode()]


def test_asynchronous_file_is_refused_with_advice() -> None:
    class File:
        async def read(self, size: int) -> bytes:
            raise NotImplementedError

    with pytest.raises(TypeError, match="give an asynchronous generator"):
        make_payload(File())


def test_closed_file_and_file_for_writing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with (
        path.open("wb") as file,
        pytest.raises(ValueError, match="not open for reading"),
    ):
        make_payload(file)
    with pytest.raises(ValueError, match="is closed"):
        make_payload(file)


# --- the arguments of a request -----------------------------------------------------


def test_request_takes_data_or_json_but_not_both() -> None:
    assert request_payload(b"x", None, json.dumps).body == b"x"
    assert request_payload(None, [1], json.dumps).body == b"[1]"
    with pytest.raises(ValueError, match="can not be used at the same time"):
        request_payload(b"x", [1], json.dumps)


def test_compression_is_applied_once_and_not_to_nothing() -> None:
    payload = make_payload(b"x")
    packed = compressed(payload, True, None, [("X", "y")])
    assert packed.headers["Content-Encoding"] == "deflate"
    empty = make_payload(b"")
    assert compressed(empty, "gzip") is empty
    with pytest.raises(ValueError, match="compress can not be set"):
        compressed(payload, "gzip", {"content-encoding": "br"})
