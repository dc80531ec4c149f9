"""Bodies in memory: bytes, text, JSON."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.client.body.support import Sink, written
from windtunnel._body.payload_files import BytesIOPayload
from windtunnel._body.payload_memory import (
    BytesPayload,
    JsonBytesPayload,
    JsonPayload,
    StringIOPayload,
    StringPayload,
    bytes_payload,
    encoded_json,
)
from windtunnel._body.payloads import make_payload

if TYPE_CHECKING:
    from windtunnel._body.payload_base import Payload


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


def test_json_from_a_serializer_of_bytes() -> None:
    ours = JsonBytesPayload({"a": 1}, lambda value: json.dumps(value).encode())
    theirs = aiohttp.JsonPayload({"a": 1})
    assert (ours.body, ours.size) == (b'{"a": 1}', theirs.size)
    assert ours.headers == theirs.headers


def test_mutable_bytes_are_copied_at_the_call() -> None:
    data = bytearray(b"abc")
    payload = make_payload(data)
    data[:] = b"xyz"
    assert payload.body == b"abc"


@pytest.mark.parametrize(
    ("payload", "body", "kind", "encoding"),
    [
        pytest.param(
            StringPayload("é"), "é".encode(), "text/plain; charset=utf-8", "utf-8"
        ),
        pytest.param(
            StringPayload("é", encoding="latin-1"),
            b"\xe9",
            "text/plain; charset=latin-1",
            "latin-1",
        ),
        pytest.param(
            StringPayload("é", content_type="a/b; charset=latin-1"),
            b"\xe9",
            "a/b; charset=latin-1",
            "latin-1",
        ),
        pytest.param(
            StringPayload("é", content_type="a/b"), "é".encode(), "a/b", "utf-8"
        ),
        pytest.param(StringIOPayload(io.StringIO("a")), b"a", None, "utf-8"),
        pytest.param(JsonPayload("é"), b'"\\u00e9"', "application/json", "utf-8"),
        pytest.param(bytes_payload(b"a", "x/y"), b"a", "x/y", None),
        pytest.param(BytesPayload(bytearray(b"a")), b"a", None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_body_in_memory_knows_its_bytes_type_and_encoding(
    payload: Payload, body: bytes, kind: str | None, encoding: str | None
) -> None:
    assert payload.body == body
    assert payload.size == len(body)
    assert payload.replayable
    assert kind is None or payload.content_type == kind
    assert payload.encoding == encoding
    assert asyncio.run(written(payload)) == body


def test_what_is_not_bytes_is_refused() -> None:
    text: Any = "x"
    with pytest.raises(TypeError, match="value argument must be byte-ish"):
        BytesPayload(text)


def as_text(value: object) -> object:
    return f"<{value}>"


def as_bytes(value: object) -> object:
    return b"<%d>" % value if isinstance(value, int) else b""


def as_it_is(value: object) -> object:
    return value


def test_a_serializer_gives_text_or_bytes() -> None:
    assert encoded_json(1, as_text) == encoded_json(1, as_bytes) == b"<1>"
    assert JsonPayload(1, dumps=as_bytes).body == b"<1>"
    with pytest.raises(TypeError, match="json serializer gave 1; allowed are"):
        encoded_json(1, as_it_is)
