"""One part of a multipart body that is read.

Headers and the bytes up to the next boundary come in; data, text, JSON and forms go
out. It must not know what other parts there are.

Spec: RFC 2046 section 5.1, RFC 2045 section 6 (transfer encodings), RFC 7578.
"""

from __future__ import annotations

import base64
import binascii
import json
import sys
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

from windtunnel._base.compat import override
from windtunnel._base.typedefs import shown
from windtunnel._body.charset import parse_content_type
from windtunnel._body.decoders import make_decoder
from windtunnel._body.disposition import (
    content_disposition_filename,
    parse_content_disposition,
)
from windtunnel._body.multipart_source import MultipartSource
from windtunnel._body.payload_base import Payload
from windtunnel._body.payload_registry import register_payload_type

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from windtunnel._body.payload_base import PayloadWriter
    from windtunnel._body.stream import StreamReader

__all__ = ("BodyPartReader", "BodyPartReaderPayload")

_STEP = 65536


class BodyPartReader:
    """Reads one part.

    Args:
        boundary: Two hyphens and the boundary.
        headers: Headers of the part.
        content: Where its bytes come from.
        subtype: What kind of multipart it is in.
        default_charset: Charset of its text if it declares none.
        max_decompress_size: Bytes that a step of ``decode_iter`` gives at most.
        client_max_size: Bytes that ``read`` gives at most, encoded and decoded.
        max_size_error_cls: What is raised if it has more.

    Compat: aiohttp's BodyPartReader. The boundary alone ends a part: a Content-Length
    that says otherwise is not looked at.
    """

    chunk_size = 8192

    def __init__(
        self,
        boundary: bytes,
        headers: Mapping[str, str],
        content: StreamReader | MultipartSource,
        *,
        subtype: str = "mixed",
        default_charset: str | None = None,
        max_decompress_size: int = 2**18,
        client_max_size: int = sys.maxsize,
        max_size_error_cls: type[Exception] = ValueError,
    ) -> None:
        self.headers = headers
        self._boundary = boundary
        if not isinstance(content, MultipartSource):
            content = MultipartSource(content.read)
        self._source = content
        self._is_form_data = subtype == "form-data"
        self._default_charset = default_charset
        self._max_decompress_size = max_decompress_size
        self._max_size = client_max_size
        self._max_size_error = max_size_error_cls
        self._is_start = True
        self._is_over = False
        self._held = b""
        self._disposition: dict[str, str] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | bytearray:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    async def next(self) -> bytes | bytearray | None:
        """Read the part; None if it was read."""
        return (await self.read()) or None

    # --- its data -------------------------------------------------------------------

    async def read(self, *, decode: bool = False) -> bytes | bytearray:
        """Read the rest of the part.

        Args:
            decode: Whether to undo its transfer and content encodings.

        Raises:
            ValueError: It has more bytes than allowed (or the class that was given
                for that), has no end, or its encoding is broken.
            RuntimeError: Its encoding is unknown.
        """
        data = bytearray()
        while chunk := await self.read_chunk(_STEP):
            data += chunk
            self._check_size(len(data))
        if not decode:
            return data
        out = bytearray()
        async for piece in self.decode_iter(data):
            out += piece
            self._check_size(len(out))
        return out

    def _check_size(self, size: int) -> None:
        if size > self._max_size:
            msg = f"part of a multipart body has more than {self._max_size} bytes"
            raise self._max_size_error(msg)

    async def read_chunk(self, size: int = chunk_size) -> bytes:
        """Read up to ``size`` bytes; of base64 whole groups of four characters.

        Returns:
            Data, none at the end of the part.

        Raises:
            ValueError: The size is not positive, or the part has no end.
        """
        if size < 1:
            msg = f"chunk size {size} is not positive"
            raise ValueError(msg)
        chunk = await self._raw(size)
        if self._transfer != "base64":
            return chunk
        # Line ends between the groups do not count.
        while missing := -len(b"".join(chunk.split())) % 4:
            more = await self._raw(missing)
            if not more:
                break
            chunk += more
        return chunk

    async def _raw(self, size: int) -> bytes:
        if self._held:
            data, self._held = self._held[:size], self._held[size:]
            return data
        if self._is_over:
            return b""
        data = await self._source.data(self._boundary, size, self._is_start)
        self._is_start = False
        self._is_over = not data
        return data

    async def readline(self) -> bytes:
        r"""Read up to and with the next ``\n``, or the rest of the part.

        Raises:
            ValueError: The line is longer than ``client_max_size``, or has no end.
        """
        line = b""
        while chunk := await self._raw(self.chunk_size):
            line += chunk
            end = line.find(b"\n") + 1
            self._check_size(end or len(line))
            if end:
                self._held = line[end:] + self._held
                return line[:end]
        return line

    async def release(self) -> None:
        """Read the rest of the part and throw it away."""
        self._held = b""
        while await self._raw(_STEP):
            pass

    def at_eof(self) -> bool:
        """Say whether the part was read to its end."""
        return self._is_over and not self._held

    async def text(self, *, encoding: str | None = None) -> str:
        """Read the part as text, in ``encoding`` if given, else in its charset."""
        data = await self.read(decode=True)
        return data.decode(encoding or self.get_charset("utf-8"))

    async def json(self, *, encoding: str | None = None) -> Any:
        """Read the part as JSON; None if it is empty."""
        text = await self.text(encoding=encoding)
        return json.loads(text) if text else None

    async def form(self, *, encoding: str | None = None) -> list[tuple[str, str]]:
        """Read the part as a urlencoded form: names and values in their order.

        Raises:
            ValueError: It is not text in ``encoding``.
        """
        encoding = encoding or self.get_charset("utf-8")
        text = (await self.text(encoding=encoding)).rstrip()
        return parse_qsl(text, keep_blank_values=True, encoding=encoding)

    # --- encodings ------------------------------------------------------------------

    @property
    def _transfer(self) -> str:
        return self.headers.get("Content-Transfer-Encoding", "").strip().lower()

    def decode(self, data: bytes | bytearray) -> bytes:
        """Undo the encodings of the whole part.

        Raises:
            ValueError: The data is broken.
            RuntimeError: An encoding is unknown.
        """
        return b"".join(self._decoded(bytes(data)))

    async def decode_iter(self, data: bytes | bytearray) -> AsyncIterator[bytes]:
        """Undo the encodings of the whole part, in bounded steps; see ``decode``."""
        for piece in self._decoded(bytes(data)):
            yield piece

    def _decoded(self, data: bytes) -> Iterator[bytes]:
        data = _transfer_decoded(self._transfer, data)
        coding = self.headers.get("Content-Encoding", "").strip().lower()
        # Spec: RFC 7578 section 4.8 leaves no content encoding to form data.
        if self._is_form_data or coding in ("", "identity"):
            yield data
            return
        decoder = make_decoder(coding)
        if decoder is None:
            msg = f"unknown content encoding: {shown(coding)}"
            raise RuntimeError(msg)
        while data or decoder.pending:
            piece = decoder.decode(data, self._max_decompress_size)
            data = b""
            if piece:
                yield piece
        decoder.finish()

    def get_charset(self, default: str) -> str:
        """Return the charset that the part declares, else that of the form."""
        media = parse_content_type(self.headers.get("Content-Type"))
        return media.charset or self._default_charset or default

    # --- its names ------------------------------------------------------------------

    @property
    def name(self) -> str | None:
        """Name of the form field."""
        return content_disposition_filename(self._params, "name")

    @property
    def filename(self) -> str | None:
        """Name of the file; it may contain a path."""
        return content_disposition_filename(self._params, "filename")

    @property
    def _params(self) -> dict[str, str]:
        params = self._disposition
        if params is None:
            field = self.headers.get("Content-Disposition")
            params = self._disposition = parse_content_disposition(field)[1]
        return params


def _transfer_decoded(transfer: str, data: bytes) -> bytes:
    """Undo a Content-Transfer-Encoding. Spec: RFC 2045 section 6."""
    if transfer == "base64":
        return base64.b64decode(data)
    if transfer == "quoted-printable":
        return binascii.a2b_qp(data)
    if transfer in ("", "binary", "8bit", "7bit"):
        return data
    msg = f"unknown content transfer encoding: {shown(transfer)}"
    raise RuntimeError(msg)


class BodyPartReaderPayload(Payload):
    """A part that was received, as a body or a part to be sent, decoded."""

    replayable = False

    def __init__(self, value: BodyPartReader, *args: Any, **kwargs: Any) -> None:
        super().__init__(value, *args, **kwargs)
        names = {"name": value.name, "filename": value.filename}
        params = {name: text for name, text in names.items() if text}
        if params:
            self.set_content_disposition("attachment", True, "utf-8", **params)

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        msg = "Unable to decode."
        raise TypeError(msg)

    @override
    async def write(self, writer: PayloadWriter) -> None:
        self._consumed = True
        part: BodyPartReader = self._value
        # Only a whole part can be decoded.
        if part.headers.get("Content-Encoding") or part.headers.get(
            "Content-Transfer-Encoding"
        ):
            await writer.write(bytes(await part.read(decode=True)))
        else:
            while chunk := await part.read_chunk(_STEP):
                await writer.write(chunk)


register_payload_type(BodyPartReaderPayload, BodyPartReader)
