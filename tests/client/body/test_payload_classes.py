"""Every payload class gives its bytes, headers and length; users can add their own."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from windtunnel._base.compat import override
from windtunnel._body.payload_async import (
    AsyncIterablePayload,
    StreamReaderPayload,
    StreamWrapperPayload,
    streamer,
)
from windtunnel._body.payload_base import Payload, PayloadWriter
from windtunnel._body.payload_files import (
    BufferedReaderPayload,
    BytesIOPayload,
    IOBasePayload,
    TextIOPayload,
)
from windtunnel._body.payload_memory import (
    BytesPayload,
    JsonBytesPayload,
    JsonPayload,
    StringIOPayload,
    StringPayload,
)
from windtunnel._body.payload_registry import (
    PAYLOAD_REGISTRY,
    NoPayloadError,
    Order,
    PayloadRegistry,
    get_payload,
    payload_type,
)
from windtunnel._body.payloads import make_payload
from windtunnel._body.stream import StreamReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


class Sink:
    """A writer that keeps what it gets."""

    def __init__(self) -> None:
        self.data = b""

    async def write(self, chunk: bytes) -> None:
        self.data += chunk


async def written(payload: Any) -> bytes:
    sink = Sink()
    await payload.write(sink)
    return sink.data


async def ticks() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


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


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(BytesPayload(b"abcdef"), id="bytes"),
        pytest.param(StringIOPayload(io.StringIO("abcdef")), id="stringio"),
        pytest.param(BytesIOPayload(io.BytesIO(b"abcdef")), id="bytesio"),
        pytest.param(BytesIOPayload(io.BytesIO(b"abcdef" * 50_000)), id="big-bytesio"),
    ],
)
def test_body_can_be_cut_decoded_and_given_again(payload: Payload) -> None:
    async def main() -> None:
        sink = Sink()
        await payload.write_with_length(sink, 4)
        await payload.write_with_length(sink, 2)
        assert sink.data == b"abcdab"
        whole = await payload.as_bytes()
        assert len(whole) == payload.size
        sink = Sink()
        await payload.write_with_length(sink, None)
        assert sink.data == whole
        assert payload.decode().encode() == whole
        assert b"".join([piece async for piece in payload.pieces()]) == whole

    asyncio.run(main())


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


def test_generator_is_given_once_unless_it_was_read_into_memory() -> None:
    async def main() -> None:
        payload = AsyncIterablePayload(ticks())
        with pytest.raises(TypeError, match="Call as_bytes"):
            payload.decode()
        assert not payload.replayable
        assert await payload.as_bytes() == b"onetwo"
        assert (payload.size, payload.replayable, payload.consumed) == (6, True, False)
        assert payload.decode() == "onetwo"
        assert await written(payload) == b"onetwo"
        assert await written(payload) == b"onetwo"

    asyncio.run(main())


class Source:
    """What feeds a stream in these tests."""

    def pause_reading(self) -> None:
        """Nothing."""

    def resume_reading(self) -> None:
        """Nothing."""


def test_stream_is_given_in_whole_pieces() -> None:
    async def main() -> None:
        for make in (get_payload, make_payload, StreamReaderPayload):
            stream = StreamReader(Source(), 1024)
            stream.feed(b"one\ntwo\n")
            stream.feed_eof()
            pieces = make(stream).pieces()
            assert [piece async for piece in pieces] == [b"one\ntwo\n"]

    asyncio.run(main())


# --- payloads of users --------------------------------------------------------------


class Counter(Payload):
    """A payload as users write them for aiohttp: it only writes."""

    closed = 0

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value)

    @override
    async def write(self, writer: PayloadWriter) -> None:
        for number in range(self._value):
            await writer.write(b"")
            await writer.write(b"%d " % number)
        if self._value == 3:
            msg = "three is too much"
            raise OSError(msg)

    @override
    async def close(self) -> None:
        self.closed += 1


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


def test_registered_type_is_used_and_first_beats_built_in() -> None:
    registry = PayloadRegistry()
    registry.register(Counter, int)
    registry.register(BytesPayload, bytes, order=Order.try_last)
    assert type(registry.get(2)) is Counter
    overrides = [registry.has_overrides]
    registry.register(Counter, bytes, order=Order.try_first)
    overrides.append(registry.has_overrides)
    assert overrides == [False, True]
    assert type(registry.get(b"x")) is Counter
    payload = Counter(1)
    assert registry.get(payload) is payload
    with pytest.raises(ValueError, match="Unsupported order 3"):
        registry.register(Counter, int, order=3)  # type: ignore[arg-type]  # the point
    with pytest.raises(NoPayloadError):
        registry.get("x")


def test_decorated_class_is_used_for_data() -> None:
    class Celsius:
        degrees = 21

    @payload_type(Celsius)
    class CelsiusPayload(JsonPayload):
        def __init__(self, value: Celsius, **kwargs: Any) -> None:
            super().__init__({"c": value.degrees})

    assert make_payload(Celsius()).body == json.dumps({"c": 21}).encode()
    assert type(PAYLOAD_REGISTRY.get(Celsius())) is CelsiusPayload


def test_json_from_a_serializer_of_bytes() -> None:
    ours = JsonBytesPayload({"a": 1}, lambda value: json.dumps(value).encode())
    theirs = aiohttp.JsonPayload({"a": 1})
    assert (ours.body, ours.size) == (b'{"a": 1}', theirs.size)
    assert ours.headers == theirs.headers


def test_form_and_override_of_a_built_in_type_are_data() -> None:
    """In a program of its own, because what is registered stays."""
    program = """
from windtunnel._body.formdata import FormData
from windtunnel._body.payload_memory import BytesPayload
from windtunnel._body.payload_registry import Order, payload_type
from windtunnel._body.payloads import make_payload

assert make_payload(FormData({"a": "b"})).body == b"a=b"

@payload_type(str, order=Order.try_first)
class Shouted(BytesPayload):
    def __init__(self, value, **options):
        super().__init__(value.upper().encode())

assert make_payload("abc").body == b"ABC"
assert make_payload(b"abc").body == b"abc"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_streamer_is_deprecated_and_writes() -> None:
    with pytest.warns(DeprecationWarning, match="use async generators"):

        @streamer
        async def repeat(writer: Any, data: bytes = b"-", times: int = 1) -> None:
            for _ in range(times):
                await writer.write(data)

    async def main() -> None:
        payload = get_payload(repeat(b"x", times=3))
        assert type(payload) is StreamWrapperPayload
        assert await written(payload) == b"xxx"
        assert await get_payload(repeat).as_bytes() == b"-"
        with pytest.raises(TypeError, match="Unable to decode"):
            payload.decode()

    asyncio.run(main())
