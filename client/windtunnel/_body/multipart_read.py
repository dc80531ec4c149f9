"""Read multipart bodies, part by part.

Headers and a stream come in, readers of the parts go out. It must not know where the
stream comes from.

Spec: RFC 2046 section 5.1, RFC 7578.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, Self

from windtunnel._base.typedefs import shown
from windtunnel._body.charset import media_parameter, parse_content_type
from windtunnel._body.multipart_part import BodyPartReader
from windtunnel._body.multipart_source import MultipartSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel._body.stream import StreamReader

__all__ = ("BodyPartReader", "MultipartReader", "MultipartResponseWrapper")

_MAX_BOUNDARY = 70
# The name of a charset is not longer.
_MAX_CHARSET = 31


class MultipartResponseWrapper:
    """Reads the parts of a response, and releases it after the last one."""

    def __init__(self, resp: Any, stream: MultipartReader) -> None:
        self.resp = resp
        self.stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MultipartReader | BodyPartReader:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    def at_eof(self) -> bool:
        """Say whether the body was read to its end."""
        return bool(self.resp.content.at_eof())

    async def next(self) -> MultipartReader | BodyPartReader | None:
        """Give the next part, None after the last one."""
        item = await self.stream.next()
        if self.stream.at_eof():
            await self.release()
        return item

    async def release(self) -> None:
        """Release the response; parts that were not read are lost."""
        await self.resp.release()


class _PartContent:
    """A part as the stream that a nested reader reads."""

    __slots__ = ("_part",)

    def __init__(self, part: BodyPartReader) -> None:
        self._part = part

    async def read(self, n: int) -> bytes:
        return await self._part.read_chunk(n)


class MultipartReader:
    """Reads a multipart body.

    Args:
        headers: With the Content-Type that names the boundary.
        content: The body.
        client_max_size: Bytes that ``read`` of a part gives at most.
        max_field_size: Bytes of a header line of a part at most.
        max_headers: Headers of a part at most.
        max_size_error_cls: What is raised if a part has more bytes.

    Attributes:
        response_wrapper_cls: What ``from_response`` gives.
        multipart_reader_cls: What reads nested bodies, None for the same class.
        part_reader_cls: What reads a part.

    Raises:
        ValueError: The Content-Type is not multipart, or names no boundary of at most
            70 characters.

    Compat: aiohttp's MultipartReader. A line that begins like a boundary and goes on
    is data, as RFC 2046 says, and no error.
    """

    response_wrapper_cls = MultipartResponseWrapper
    multipart_reader_cls: ClassVar[type[MultipartReader] | None] = None
    part_reader_cls = BodyPartReader

    def __init__(
        self,
        headers: Mapping[str, str],
        content: StreamReader,
        *,
        client_max_size: int = sys.maxsize,
        max_field_size: int = 8190,
        max_headers: int = 128,
        max_size_error_cls: type[Exception] = ValueError,
    ) -> None:
        field = headers.get("Content-Type")
        media = parse_content_type(field).name
        if not media.startswith("multipart/"):
            msg = f"multipart/* content type expected, got {shown(field)}"
            raise ValueError(msg)
        boundary = media_parameter(field, "boundary")
        if boundary is None:
            msg = f"boundary missed for Content-Type: {shown(field)}"
            raise ValueError(msg)
        if len(boundary) > _MAX_BOUNDARY:
            msg = (
                f"boundary {shown(boundary)} has {len(boundary)} characters, allowed "
                f"are {_MAX_BOUNDARY} (RFC 2046 section 5.1.1)"
            )
            raise ValueError(msg)
        self.headers = headers
        self._subtype = media.partition("/")[2]
        self._boundary = b"--" + boundary.encode("utf-8", "surrogateescape")
        self._source = MultipartSource(content.read)
        self._max_size = client_max_size
        self._max_field_size = max_field_size
        self._max_headers = max_headers
        self._max_size_error = max_size_error_cls
        self._default_charset: str | None = None
        self._is_over = False
        # The part that is being read, or the one a nested reader reads.
        self._part: BodyPartReader | None = None

    @classmethod
    def from_response(cls, response: Any) -> MultipartResponseWrapper:
        """Read the body of a response, and release that after the last part.

        Args:
            response: A ClientResponse.
        """
        return cls.response_wrapper_cls(
            response, cls(response.headers, response.content)
        )

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MultipartReader | BodyPartReader:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    def at_eof(self) -> bool:
        """Say whether the last part and what follows it were read."""
        return self._is_over

    async def next(self) -> MultipartReader | BodyPartReader | None:
        """Give the next part, None after the last one.

        What was not read of the part before is thrown away. A part ``_charset_`` of
        form data is not given: it names the charset of those that follow
        (RFC 7578 section 4.6).

        Raises:
            ValueError: The body is not multipart, or ends too early.
        """
        if self._is_over:
            return None
        if self._part is None:
            if not await self._source.find_first(self._boundary):
                msg = f"Could not find starting boundary {shown(self._boundary)}"
                raise ValueError(msg)
        else:
            await self._part.release()
        if self._source.is_last:
            await self._source.skip_rest()
            self._is_over = True
            return None
        is_first = self._part is None
        part = await self.fetch_next_part()
        if (
            is_first
            and self._subtype == "form-data"
            and isinstance(part, BodyPartReader)
            and part.name == "_charset_"
        ):
            charset = await part.read_chunk(_MAX_CHARSET + 1)
            if len(charset) > _MAX_CHARSET:
                msg = f"Invalid default charset {shown(charset)}"
                raise ValueError(msg)
            self._default_charset = charset.strip().decode()
            return await self.next()
        return part

    async def fetch_next_part(self) -> MultipartReader | BodyPartReader:
        """Read the headers of the next part and make its reader."""
        headers = await self._source.headers(self._max_field_size, self._max_headers)
        part = self._part = self.part_reader_cls(
            self._boundary,
            headers,
            self._source,
            subtype=self._subtype,
            default_charset=self._default_charset,
            client_max_size=self._max_size,
            max_size_error_cls=self._max_size_error,
        )
        media = parse_content_type(headers.get("Content-Type")).name
        if not media.startswith("multipart/"):
            return part
        content: Any = _PartContent(part)
        return (self.multipart_reader_cls or type(self))(
            headers,
            content,
            client_max_size=self._max_size,
            max_field_size=self._max_field_size,
            max_headers=self._max_headers,
            max_size_error_cls=self._max_size_error,
        )

    async def release(self) -> None:
        """Read all parts that are left and throw them away."""
        while (part := await self.next()) is not None:
            await part.release()
