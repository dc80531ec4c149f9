"""Files as bodies: every kind of them, from where they stand, whole or an error."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import tempfile
import threading
from typing import TYPE_CHECKING

import pytest

from windtunnel._base.compat import override
from windtunnel._body.payload_files import (
    BufferedReaderPayload,
    IOBasePayload,
    TextIOPayload,
)
from windtunnel._body.payloads import make_payload

if TYPE_CHECKING:
    from pathlib import Path

    from windtunnel._body.payload_base import Payload


OCTETS = "application/octet-stream"


TEXT = "text/plain; charset=utf-8"


BIG = bytes(range(256)) * 2000


def collect(payload: Payload) -> list[bytes]:
    async def main() -> list[bytes]:
        return [piece async for piece in payload.pieces()]

    return asyncio.run(main())


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


def test_file_is_named_in_the_disposition_and_can_be_decoded(tmp_path: Path) -> None:
    path = tmp_path / "é a.txt"
    path.write_bytes(b"FILE")
    with path.open("rb") as file:
        payload = BufferedReaderPayload(file)
        assert payload.filename == "é a.txt"
        assert payload.headers["Content-Disposition"] == (
            "attachment; filename*=utf-8''%C3%A9%20a.txt"
        )
        assert payload.decode() == "FILE"
        assert payload.decode() == "FILE"
        assert "Content-Disposition" not in IOBasePayload(file, None).headers
        own = IOBasePayload(file, headers={"Content-Disposition": "inline"})
        assert own.headers["Content-Disposition"] == "inline"
    with path.open(encoding="utf-8") as text:
        assert TextIOPayload(text, encoding="utf-16").size == 10


def test_pipe_without_start_is_decoded_once() -> None:
    class Pipe:
        name = "<stdin>"

        def read(self, size: int = -1) -> str:
            return "text"

    payload = IOBasePayload(Pipe())
    assert payload.filename is None
    assert payload.decode() == "text"
