"""Names of ``aiohttp.multipart``: bodies of several parts."""

from __future__ import annotations

from windtunnel import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    BodyPartReader,
    MultipartReader,
    MultipartWriter,
    content_disposition_filename,
    parse_content_disposition,
)
from windtunnel._body.multipart_part import (
    BodyPartReaderPayload,
)
from windtunnel._body.multipart_read import (
    MultipartResponseWrapper,
)

__all__ = (
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "BodyPartReader",
    "BodyPartReaderPayload",
    "MultipartReader",
    "MultipartResponseWrapper",
    "MultipartWriter",
    "content_disposition_filename",
    "parse_content_disposition",
)
