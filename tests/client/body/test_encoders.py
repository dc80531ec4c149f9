"""Bodies are compressed on their way out, and can be undone by anybody."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from windtunnel._base.compat import override
from windtunnel._body.encoders import CompressedPayload, make_encoder
from windtunnel._body.optional_codecs import brotli_module, zstd_module
from windtunnel._body.payload_memory import BytesPayload, StringPayload
from windtunnel._body.payloads import make_payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


TEXT = b"a text that compresses well, " * 5000


@pytest.mark.parametrize(
    ("coding", "undo"),
    [
        ("gzip", gzip.decompress),
        ("x-gzip", gzip.decompress),
        ("Deflate", zlib.decompress),
        ("br", brotli_module().decompress),
        ("zstd", zstd_module().decompress),
    ],
)
def test_body_is_compressed_in_pieces_and_again(
    coding: str, undo: Callable[[bytes], bytes]
) -> None:
    async def main() -> None:
        payload = CompressedPayload(BytesPayload(TEXT, content_type="a/b"), coding)
        assert (payload.size, payload.body) == (None, None)
        assert payload.content_type == "a/b"
        assert payload.replayable
        for _ in range(2):
            packed = await payload.as_bytes()
            assert len(packed) < 2000
            assert undo(packed) == TEXT
        pieces = [piece async for piece in payload.pieces()]
        assert all(pieces)

    asyncio.run(main())


def test_body_keeps_its_headers_and_closes_its_source() -> None:
    events: list[str] = []

    class Closing(StringPayload):
        @override
        async def close(self) -> None:
            events.append("closed")

    async def main() -> None:
        payload = CompressedPayload(Closing("é", headers={"X": "y"}), "gzip")
        assert payload.headers["X"] == "y"
        assert payload.encoding == "utf-8"
        assert payload.decode() == "é"
        assert payload.closes
        await payload.close()
        assert events == ["closed"]
        assert not CompressedPayload(BytesPayload(b""), "gzip").closes

        class Sink:
            data = b""

            async def write(self, chunk: bytes) -> None:
                self.data += chunk

        sink = Sink()
        await payload.write(sink)
        assert gzip.decompress(sink.data) == "é".encode()

    asyncio.run(main())


def test_source_is_closed_when_the_sender_stops() -> None:
    events: list[str] = []

    async def noise() -> AsyncIterator[bytes]:
        try:
            for number in range(100):
                yield zlib.compress(b"%d" % number) * 5000
        finally:
            events.append("closed")

    async def main() -> None:
        payload = CompressedPayload(make_payload(noise()), "gzip")
        assert not payload.replayable
        pieces: Any = payload.pieces()
        await anext(pieces)
        await pieces.aclose()
        assert events == ["closed"]

    asyncio.run(main())


def test_unknown_coding_is_refused_at_the_call() -> None:
    with pytest.raises(ValueError, match="'foo' cannot be applied; allowed are gzip"):
        CompressedPayload(BytesPayload(b"x"), "foo")


def test_deflate_can_go_bare() -> None:
    encoder = make_encoder("deflate", bare_deflate=True)
    packed = encoder.compress(b"x") + encoder.flush()
    assert zlib.decompress(packed, -15) == b"x"
