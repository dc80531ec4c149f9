"""Apply a content coding to a body that is sent.

Pieces and the name of a coding come in, encoded pieces go out.

Spec: RFC 9110 section 8.4, RFC 1950, RFC 1951, RFC 1952, RFC 7932, RFC 8878.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from windtunnel._base.compat import override
from windtunnel._base.typedefs import shown
from windtunnel._body.optional_codecs import brotli_module, zstd_module
from windtunnel._body.payload_base import Payload
from windtunnel._body.zlib_backend import zlib_module

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel._body.payload_base import PayloadWriter

__all__ = ("CompressedPayload", "Encoder", "encode_pieces", "make_encoder")

_WBITS_ZLIB = 15
_WBITS_GZIP = 16 + 15
_WBITS_RAW = -15


class Encoder(Protocol):
    """One body being encoded."""

    def compress(self, data: bytes, /) -> bytes:
        """Take the next bytes; give what is encoded by now, possibly nothing."""
        ...

    def flush(self) -> bytes:
        """Give the rest."""
        ...


class _Brotli:
    __slots__ = ("compress", "flush")

    def __init__(self, module: Any) -> None:
        compressor = module.Compressor()
        # The two packages name this method differently.
        self.compress = getattr(compressor, "process", None) or compressor.compress
        self.flush = compressor.finish


def make_encoder(coding: str, *, bare_deflate: bool = False) -> Encoder:
    """Make an encoder.

    Args:
        coding: "gzip", "deflate", "br" or "zstd", in any case.
        bare_deflate: Whether deflate goes without the head and the checksum of zlib.

    Raises:
        ValueError: The coding is unknown, or its package is not installed.
    """
    name = coding.lower()
    if name in ("gzip", "x-gzip", "deflate"):
        wbits = _WBITS_RAW if bare_deflate else _WBITS_ZLIB
        wbits = _WBITS_GZIP if name != "deflate" else wbits
        return cast("Encoder", zlib_module().compressobj(wbits=wbits))
    if name == "br" and (brotli := brotli_module()) is not None:
        return _Brotli(brotli)
    if name == "zstd" and (zstd := zstd_module()) is not None:
        return cast("Encoder", zstd.ZstdCompressor())
    msg = (
        f"content coding {shown(coding)} cannot be applied; allowed are gzip, deflate, "
        f"and with their packages installed br and zstd"
    )
    raise ValueError(msg)


async def encode_pieces(
    pieces: AsyncIterator[bytes], encoder: Encoder
) -> AsyncIterator[bytes]:
    """Encode pieces as they come; none of the results is empty."""
    try:
        async for piece in pieces:
            if data := encoder.compress(piece):
                yield data
        if data := encoder.flush():
            yield data
    finally:
        aclose = getattr(pieces, "aclose", None)
        if aclose is not None:
            await aclose()


class CompressedPayload(Payload):
    """Another payload with a content coding; its length is not known before.

    Args:
        payload: What is encoded.
        coding: As of ``make_encoder``.

    Raises:
        ValueError: The coding cannot be applied.
    """

    def __init__(self, payload: Payload, coding: str) -> None:
        make_encoder(coding)
        super().__init__(payload, payload.headers, encoding=payload.encoding)
        self.headers["Content-Encoding"] = coding
        self.replayable = payload.replayable
        self._coding = coding

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        text: str = self._value.decode(encoding, errors)
        return text

    @override
    def pieces(self) -> AsyncIterator[bytes]:
        return encode_pieces(self._value.pieces(), make_encoder(self._coding))

    @override
    async def write(self, writer: PayloadWriter) -> None:
        await self._write_pieces(writer, None)

    @property
    @override
    def closes(self) -> bool:
        return bool(self._value.closes)

    @override
    async def close(self) -> None:
        await self._value.close()
