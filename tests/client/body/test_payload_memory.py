"""Bodies in memory: bytes, text, JSON."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.client.body.support import Sink
from windtunnel._body.payload_files import BytesIOPayload
from windtunnel._body.payload_memory import (
    BytesPayload,
    JsonBytesPayload,
    StringIOPayload,
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
