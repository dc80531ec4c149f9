"""Bodies that are in memory: bytes, text, JSON.

Values come in; payloads with ``body`` go out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from windtunnel._base.compat import override
from windtunnel._base.typedefs import UNSET, shown
from windtunnel._body.charset import parse_content_type
from windtunnel._body.payload_base import Payload

if TYPE_CHECKING:
    import io
    from collections.abc import AsyncIterator, Callable

    from windtunnel._base.typedefs import Unset
    from windtunnel._body.payload_base import PayloadWriter

__all__ = (
    "BytesPayload",
    "JsonBytesPayload",
    "JsonPayload",
    "StringIOPayload",
    "StringPayload",
    "bytes_payload",
)

_PIECE = 64 * 1024
TEXT = "text/plain; charset=utf-8"


class BytesPayload(Payload):
    """A body that is in memory.

    Args:
        value: bytes, bytearray or memoryview; what the caller may change later is
            copied now.
        *args: As of ``Payload``.
        **kwargs: As of ``Payload``.

    Raises:
        TypeError: The value is something else.

    Compat: aiohttp warns of more than 1 MiB, because it writes them at once. Here they
    are sent in slices, so there is nothing to warn of.
    """

    _autoclose = True

    def __init__(
        self, value: bytes | bytearray | memoryview, *args: Any, **kwargs: Any
    ) -> None:
        if not isinstance(value, (bytes, bytearray, memoryview)):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            msg = f"value argument must be byte-ish, not {type(value)!r}"  # type: ignore[unreachable]  # callers may be untyped
            raise TypeError(msg)
        super().__init__(value, *args, **kwargs)
        self.body = body = bytes(value)
        self._size = len(body)

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        assert self.body is not None
        return self.body.decode(encoding, errors)

    @override
    async def write(self, writer: PayloadWriter) -> None:
        await self._write_pieces(writer, None)

    @override
    def pieces(self) -> AsyncIterator[bytes]:
        assert self.body is not None
        return sliced(self.body)


async def sliced(body: bytes) -> AsyncIterator[bytes]:
    """Give a body in memory in pieces."""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


def bytes_payload(body: bytes, content_type: str) -> BytesPayload:
    """Make the payload of most requests, without looking at what cannot be given."""
    payload = BytesPayload.__new__(BytesPayload)
    payload._value = payload.body = body  # pyright: ignore[reportPrivateUsage]  # its own constructor
    payload._size = len(body)  # pyright: ignore[reportPrivateUsage]  # its own constructor
    payload._content_type = content_type  # pyright: ignore[reportPrivateUsage]  # its own constructor
    return payload


class StringPayload(BytesPayload):
    """A body of text.

    Args:
        value: The text.
        *args: As of ``Payload``.
        encoding: How it is encoded; without it the charset of ``content_type``, else
            UTF-8.
        content_type: Its media type, text/plain with the encoding if not given.
        **kwargs: As of ``Payload``.
    """

    def __init__(
        self,
        value: str,
        *args: Any,
        encoding: str | None = None,
        content_type: str | Unset | None = None,
        **kwargs: Any,
    ) -> None:
        encoding, content_type = text_type(encoding, content_type)
        super().__init__(
            value.encode(encoding),
            *args,
            encoding=encoding,
            content_type=content_type,
            **kwargs,
        )


def text_type(
    encoding: str | None, content_type: str | Unset | None
) -> tuple[str, str]:
    """Complete the encoding and the media type of a text by each other."""
    if content_type is None or content_type is UNSET:
        encoding = encoding or "utf-8"
        return encoding, f"text/plain; charset={encoding}"
    declared = parse_content_type(content_type).charset
    return encoding or declared or "utf-8", content_type


class StringIOPayload(StringPayload):
    """A body of the text that is left in a StringIO."""

    def __init__(self, value: io.StringIO, *args: Any, **kwargs: Any) -> None:
        super().__init__(value.read(), *args, **kwargs)


class JsonPayload(BytesPayload):
    """A body of JSON.

    Args:
        value: What ``dumps`` takes.
        encoding: How the text is encoded.
        content_type: Its media type.
        dumps: Turns the value into text or bytes.
        *args: As of ``Payload``.
        **kwargs: As of ``Payload``.

    Raises:
        TypeError: ``dumps`` gave neither str nor bytes.
    """

    def __init__(
        self,
        value: Any,
        encoding: str = "utf-8",
        content_type: str = "application/json",
        dumps: Callable[[Any], object] = json.dumps,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        body = encoded_json(value, dumps, encoding)
        super().__init__(
            body, *args, content_type=content_type, encoding=encoding, **kwargs
        )


class JsonBytesPayload(BytesPayload):
    """A body of JSON from a serializer that gives bytes.

    Args:
        value: What ``dumps`` takes.
        dumps: Turns the value into bytes.
        content_type: Its media type.
        *args: As of ``Payload``.
        **kwargs: As of ``Payload``.
    """

    def __init__(
        self,
        value: Any,
        dumps: Callable[[Any], bytes],
        content_type: str = "application/json",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(dumps(value), *args, content_type=content_type, **kwargs)


def encoded_json(
    value: Any, dumps: Callable[[Any], object], encoding: str = "utf-8"
) -> bytes:
    """Serialise ``value``; raise TypeError if ``dumps`` gives neither str nor bytes."""
    text = dumps(value)
    if isinstance(text, str):
        return text.encode(encoding)
    if isinstance(text, bytes):
        return text
    msg = f"json serializer gave {shown(text)}; allowed are str and bytes"
    raise TypeError(msg)
