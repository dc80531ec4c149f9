"""Write multipart bodies.

Values and payloads come in as parts; out go the bytes of all of them, with the
boundaries between. It must not know how a body is framed or written.

Spec: RFC 2046 section 5.1, RFC 7578 for form data.
"""

from __future__ import annotations

import asyncio
import binascii
import os
import re
from typing import TYPE_CHECKING, Any, Self, cast

from multidict import CIMultiDict

from windtunnel._base.compat import override
from windtunnel._base.typedefs import shown
from windtunnel._body.encoders import encode_pieces, make_encoder
from windtunnel._body.forms import FORM_TYPE, encode_form, form_pairs
from windtunnel._body.payload_base import Payload
from windtunnel._body.payload_memory import JsonPayload, StringPayload
from windtunnel._body.payload_registry import NoPayloadError, get_payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from windtunnel._body.payload_base import Headers, PayloadWriter

__all__ = ("MultipartWriter",)

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,70}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# Bodies up to this size are put together, so that they leave with the head.
_SMALL = 64 * 1024
_NOT_IN_FORMS = ("Content-Encoding", "Content-Length", "Content-Transfer-Encoding")

Part = tuple[Payload, str | None, str | None]


class MultipartWriter(Payload):
    """A body of several parts, each with its headers.

    Args:
        subtype: What the parts are to each other: "mixed", "related", "form-data".
        boundary: The line between them, 1 to 70 printable ASCII characters that do not
            occur in the parts; a random one if not given.

    Raises:
        ValueError: The boundary or the subtype cannot be used.

    Compat: aiohttp's MultipartWriter.
    """

    def __init__(self, subtype: str = "mixed", boundary: str | None = None) -> None:
        if boundary is None:
            boundary = os.urandom(16).hex()
        if not boundary.isascii():
            msg = f"boundary {shown(boundary)} should contain ASCII only chars"
            raise ValueError(msg)
        if _PRINTABLE.fullmatch(boundary) is None or boundary[-1] == " ":
            msg = (
                f"boundary value {shown(boundary)} contains invalid characters or not "
                f"1 to 70 of them (RFC 2046 section 5.1.1)"
            )
            raise ValueError(msg)
        if _TOKEN.fullmatch(subtype) is None:
            msg = f"multipart subtype {shown(subtype)} is not a token"
            raise ValueError(msg)
        parameter = boundary
        if _TOKEN.fullmatch(boundary) is None:
            escaped = boundary.replace("\\", "\\\\").replace('"', '\\"')
            parameter = f'"{escaped}"'
        super().__init__(
            None, content_type=f"multipart/{subtype}; boundary={parameter}"
        )
        self._boundary = boundary
        self._parts: list[Part] = []
        self._is_form_data = subtype == "form-data"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Do nothing; it is there for the looks of nested parts."""

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __bool__(self) -> bool:
        return True

    @property
    def boundary(self) -> str:
        """The line between the parts."""
        return self._boundary

    @property
    @override
    def consumed(self) -> bool:
        return any(part.consumed for part, _, _ in self._parts)

    # --- adding parts ---------------------------------------------------------------

    def append(self, obj: Any, headers: Headers | None = None) -> Payload:
        """Add a part.

        Args:
            obj: A payload, or what one can be made from: bytes, text, a file...
            headers: Its headers; they replace those it has by itself.

        Raises:
            TypeError: No payload can be made from ``obj``.
            ValueError: A header is not allowed in form data.
            RuntimeError: An encoding named in ``headers`` is unknown.
        """
        fields = CIMultiDict(headers or {})
        if isinstance(obj, Payload):
            obj.headers.update(fields)
            return self.append_payload(obj)
        try:
            payload = get_payload(obj, headers=fields)
        except NoPayloadError:
            msg = f"Cannot create payload from {shown(obj)}"
            raise TypeError(msg) from None
        return self.append_payload(payload)

    def append_payload(self, payload: Payload) -> Payload:
        """Add a part; see ``append``."""
        headers = payload.headers
        encoding: str | None = ""
        transfer: str | None = None
        if self._is_form_data:
            for name in _NOT_IN_FORMS:
                if name in headers:
                    msg = f"{name} is not allowed in a part of form data (RFC 7578)"
                    raise ValueError(msg)
            if "Content-Disposition" not in headers:
                name = f"section-{len(self._parts)}"
                payload.set_content_disposition("form-data", name=name)
        else:
            encoding, transfer = _codings(headers)
            size = payload.size
            if size is not None and not (encoding or transfer):
                headers["Content-Length"] = str(size)
        self.body = None
        self.replayable = self.replayable and payload.replayable
        self._parts.append((payload, encoding, transfer))
        return payload

    def append_json(self, obj: Any, headers: Headers | None = None) -> Payload:
        """Add a part of JSON."""
        return self.append_payload(JsonPayload(obj, headers=headers))

    def append_form(self, obj: Any, headers: Headers | None = None) -> Payload:
        """Add a part with a urlencoded form, from a mapping or pairs."""
        text = encode_form(form_pairs(obj)).decode("ascii")
        return self.append_payload(
            StringPayload(text, headers=headers, content_type=FORM_TYPE)
        )

    # --- giving them ----------------------------------------------------------------

    @property
    @override
    def size(self) -> int | None:
        """Length in bytes, None if a part's is not known."""
        total = len(self._last)
        for part, encoding, transfer in self._parts:
            size = part.size
            if size is None or encoding or transfer:
                return None
            total += len(self._head(part)) + size + 2
        return total

    @property
    def _last(self) -> bytes:
        return f"--{self._boundary}--\r\n".encode("ascii")

    def _head(self, part: Payload) -> bytes:
        lines = [f"--{self._boundary}\r\n"]
        for name, value in part.headers.items():
            if _CONTROL.search(value) or _TOKEN.fullmatch(name) is None:
                msg = (
                    f"header {shown(name)} of a part with the value {shown(value)} has "
                    f"a character that is not allowed there"
                )
                raise ValueError(msg)
            lines.append(f"{name}: {value}\r\n")
        lines.append("\r\n")
        return "".join(lines).encode()

    @override
    def settled(self) -> Payload:
        """Put a small body in memory together, so that it can leave with the head."""
        size = self.size
        bodies = [part.settled().body for part, _, _ in self._parts]
        known = [body for body in bodies if body is not None]
        if size is not None and size <= _SMALL and len(known) == len(bodies):
            out: list[bytes] = []
            for (part, _, _), body in zip(self._parts, known, strict=True):
                out += (self._head(part), body, b"\r\n")
            self.body = b"".join((*out, self._last))
        return self

    @override
    def pieces(self) -> AsyncIterator[bytes]:
        return self._all_pieces(self._last)

    async def _all_pieces(self, last: bytes) -> AsyncIterator[bytes]:
        """Give the parts; what is in memory goes together with what surrounds it."""
        held: list[bytes] = []
        for part, encoding, transfer in self._parts:
            held.append(self._head(part))
            body = part.body
            if body is not None and not (encoding or transfer):
                held += (body, b"\r\n")
                if sum(map(len, held)) < _SMALL:
                    continue
                yield b"".join(held)
                held = []
                continue
            yield b"".join(held)
            async for piece in _encoded(part.pieces(), encoding, transfer):
                yield piece
            held = [b"\r\n"]
        held.append(last)
        if rest := b"".join(held):
            yield rest

    @override
    async def write(self, writer: PayloadWriter, close_boundary: bool = True) -> None:
        """Write all parts, and the line that ends them if ``close_boundary``."""
        async for piece in self._all_pieces(self._last if close_boundary else b""):
            await writer.write(piece)

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        parts = [
            f"{self._head(part).decode()}{part.decode(encoding, errors)}\r\n"
            for part, _, _ in self._parts
        ]
        return "".join((*parts, self._last.decode("ascii")))

    @property
    @override
    def closes(self) -> bool:
        return any(part.closes for part, _, _ in self._parts)

    @override
    async def close(self) -> None:
        """Close all parts, also those behind one that fails to."""
        parts = [part.close() for part, _, _ in self._parts if part.closes]
        # Together and shielded, so that a cancellation leaves none of them open.
        await asyncio.shield(asyncio.gather(*parts))


def _codings(headers: CIMultiDict[str]) -> tuple[str | None, str | None]:
    """Read how a part wants to be encoded.

    Raises:
        RuntimeError: In a way that is unknown. Compat: aiohttp raises this type.
    """
    encoding: str | None = headers.get("Content-Encoding", "").lower()
    if encoding == "identity":
        encoding = None
    if encoding not in ("", None, "gzip", "deflate"):
        msg = f"unknown content encoding: {shown(encoding)}"
        raise RuntimeError(msg)
    transfer: str | None = headers.get("Content-Transfer-Encoding", "").lower()
    if transfer == "binary":
        transfer = None
    if transfer not in ("", None, "base64", "quoted-printable"):
        msg = f"unknown content transfer encoding: {shown(transfer)}"
        raise RuntimeError(msg)
    return encoding, transfer


async def _encoded(
    pieces: AsyncIterator[bytes], encoding: str | None, transfer: str | None
) -> AsyncIterator[bytes]:
    """Apply the codings of a part: first the content's, then that of the transfer."""
    if encoding:
        encoder = make_encoder(encoding, bare_deflate=True)
        pieces = encode_pieces(pieces, encoder)
    if transfer == "quoted-printable":
        # What stands at the end of a line matters, so it is encoded whole.
        yield _quoted_printable(b"".join([piece async for piece in pieces]))
        return
    left = b""
    try:
        async for piece in pieces:
            if transfer != "base64":
                yield piece
                continue
            data = left + piece
            cut = len(data) - len(data) % 3
            left = data[cut:]
            if cut:
                yield binascii.b2a_base64(data[:cut], newline=False)
        if left:
            yield binascii.b2a_base64(left, newline=False)
    finally:
        await cast("Any", pieces).aclose()


def _quoted_printable(data: bytes) -> bytes:
    """Encode data so that decoding gives it back.

    Line ends stand as they are if they are all alike. ``binascii`` would make others
    like the first, so those are encoded.

    Spec: RFC 2045 section 6.7.
    """
    pairs = data.count(b"\r\n")
    newlines, returns = data.count(b"\n"), data.count(b"\r")
    return binascii.b2a_qp(data, istext=returns == pairs and pairs in (0, newlines))
