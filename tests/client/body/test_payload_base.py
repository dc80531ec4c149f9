"""The base of all payloads: what their arguments mean, and what users may add."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.client.body.support import Counter, Sink, ticks, written
from windtunnel._body.payload_async import AsyncIterablePayload
from windtunnel._body.payload_memory import BytesPayload, JsonPayload, StringPayload
from windtunnel._body.payload_registry import NoPayloadError, get_payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windtunnel._body.payload_base import Payload


VALUES: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda path: b"ab",
    "bytearray": lambda path: bytearray(b"ab"),
    "memoryview": lambda path: memoryview(b"ab"),
    "str": lambda path: "é",
    "stringio": lambda path: io.StringIO("é"),
    "bytesio": lambda path: io.BytesIO(b"bio"),
    "binary-file": lambda path: path.open("rb"),
    "unbuffered-file": lambda path: path.open("rb", 0),
    "random-file": lambda path: path.open("r+b"),
    "text-file": lambda path: path.open(encoding="utf-8"),
    "generator": lambda path: ticks(),
}


@pytest.mark.parametrize("kind", VALUES)
def test_payload_of_a_value_is_that_of_aiohttp(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    path.write_bytes(b"FILE content")

    async def main() -> None:
        results: list[Any] = []
        for get in (get_payload, aiohttp.get_payload):
            value = VALUES[kind](path)
            payload = get(value)
            results.append(
                (
                    type(payload).__name__,
                    payload.size,
                    payload.filename,
                    list(payload.headers.items()),
                    payload.encoding,
                    payload.content_type,
                    payload.autoclose,
                    payload.consumed,
                    await written(payload),
                    payload.consumed,
                )
            )
            await payload.close()
            if hasattr(value, "close"):
                value.close()
        ours, theirs = results
        assert ours == theirs

    asyncio.run(main())


OCTETS = "application/octet-stream"


@pytest.mark.parametrize(
    ("cls", "value", "options", "size", "kind", "encoding"),
    [
        pytest.param(
            StringPayload,
            "é",
            {"encoding": "latin-1"},
            1,
            "text/plain; charset=latin-1",
            "latin-1",
            id="encoding-names-the-charset",
        ),
        pytest.param(
            StringPayload,
            "é",
            {"content_type": "text/x; charset=latin-1"},
            1,
            "text/x; charset=latin-1",
            "latin-1",
            id="charset-names-the-encoding",
        ),
        pytest.param(
            StringPayload, "é", {"content_type": "a/b"}, 2, "a/b", "utf-8", id="type"
        ),
        pytest.param(
            JsonPayload, {"a": "é"}, {}, 15, "application/json", "utf-8", id="json"
        ),
        pytest.param(
            BytesPayload, b"x", {"content_type": None}, 1, OCTETS, None, id="no-type"
        ),
        pytest.param(
            BytesPayload,
            b"x",
            {"headers": {"X": "1", "content-type": "q/r"}},
            1,
            "q/r",
            None,
            id="headers-win",
        ),
    ],
)
def test_arguments_of_a_payload_mean_what_they_mean_in_aiohttp(
    cls: type[Payload],
    value: Any,
    options: dict[str, Any],
    size: int,
    kind: str,
    encoding: str | None,
) -> None:
    theirs: Any = getattr(aiohttp, cls.__name__)
    for payload in (cls(value, **options), theirs(value, **options)):
        assert (payload.size, payload.content_type, payload.encoding) == (
            size,
            kind,
            encoding,
        )


def test_type_is_guessed_from_the_file_name() -> None:
    assert BytesPayload(b"", filename="a.html").content_type == "text/html"
    assert BytesPayload(b"", filename="a.tar.gz").content_type.endswith("octet-stream")
    assert JsonPayload({}, dumps=lambda obj: b"7").body == b"7"


def test_wrong_values_are_refused() -> None:
    with pytest.raises(TypeError, match="value argument must be byte-ish"):
        BytesPayload("x")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match="AsyncIterable interface"):
        AsyncIterablePayload([b"x"])  # type: ignore[arg-type]  # that is the point
    with pytest.raises(NoPayloadError):
        get_payload(5)


def test_payload_that_only_writes_gives_its_pieces() -> None:
    async def main() -> None:
        payload = Counter(2)
        assert payload.closes
        assert not BytesPayload(b"").closes
        assert [piece async for piece in payload.pieces()] == [b"0 ", b"1 "]
        assert await payload.as_bytes() == b"0 1 "
        with pytest.raises(OSError, match="three is too much"):
            await Counter(3).as_bytes()

    asyncio.run(main())


def test_payload_that_only_writes_is_stopped_when_the_sender_stops() -> None:
    async def main() -> None:
        sink = Sink()
        await Counter(2).write_with_length(sink, 2)
        assert sink.data == b"0 "
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_payload_brings_its_other_headers_along_but_not_those_that_frame_it() -> None:
    plain = BytesPayload(b"a")
    assert plain.extra_headers is None
    own = BytesPayload(b"a", headers={"X-A": "1", "Content-Length": "1"})
    assert own.extra_headers == [("X-A", "1")]
    assert own.headers["Content-Type"] == OCTETS


def test_a_payload_of_a_user_is_read_and_written_whole_or_cut() -> None:
    async def main() -> None:
        payload = Counter(2)
        assert payload.settled() is payload
        assert await payload.as_bytes() == b"0 1 "
        sink = Sink()
        await payload.write_with_length(sink, None)
        assert sink.data == b"0 1 "
        await payload.close()
        assert payload.closed == 1
        assert BytesPayload(b"a").decode() == "a"
        assert await BytesPayload(b"ab").as_bytes() == b"ab"

    asyncio.run(main())
