"""What can be wrong with a message itself: the causes of some public errors.

What comes in: what a response broke. What goes out: exceptions that are the
``__cause__`` of ``ClientResponseError`` and ``ClientPayloadError``; only a line that is
too long for ``StreamReader.readline`` is raised by itself. This module must not know
how a message is read.

Compat: the classes of aiohttp's ``http_exceptions``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel._base.compat import override

if TYPE_CHECKING:
    from multidict import CIMultiDict


class HttpProcessingError(Exception):
    """Base of the errors of a message.

    Attributes:
        code: Status that a server would answer with, 0 for none.
        message: What is wrong.
        headers: Fields that a server would answer with, None for none.
    """

    code: int = 0
    message: str = ""
    headers: CIMultiDict[str] | None = None

    def __init__(
        self,
        *,
        code: int | None = None,
        message: str = "",
        headers: CIMultiDict[str] | None = None,
    ) -> None:
        super().__init__()
        if code is not None:
            self.code = code
        self.message = message
        self.headers = headers

    @override
    def __str__(self) -> str:
        return f"{self.code}, message: {self.message}"

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.code}, message={self.message!r}>"


class BadHttpMessage(HttpProcessingError):  # noqa: N818  # the compatible name
    """A message breaks the rules of HTTP/1.1."""

    code = 400

    def __init__(
        self, message: str, *, headers: CIMultiDict[str] | None = None
    ) -> None:
        super().__init__(message=message, headers=headers)
        # pickle calls the class with args, so they must be the constructor's.
        self.args = (message,)


class HttpBadRequest(BadHttpMessage):
    """A request breaks the rules."""


class PayloadEncodingError(BadHttpMessage):
    """Base of the errors of a body."""


class ContentEncodingError(PayloadEncodingError):
    """The content coding of a body cannot be undone."""


class TransferEncodingError(PayloadEncodingError):
    """The chunks of a body are malformed, or end early."""


class ContentLengthError(PayloadEncodingError):
    """A body has fewer bytes than its Content-Length says."""


class DecompressSizeError(PayloadEncodingError):
    """A body decodes to more bytes than are allowed."""


class LineTooLong(BadHttpMessage, ValueError):  # noqa: N818  # the compatible name
    """A line is longer than its reader allows.

    Compat: aiohttp before 3.14 raised a ``ValueError`` from ``readline``, so it is one.
    """

    def __init__(
        self,
        line: str | bytes,
        limit: str | int = "Unknown",
        actual_size: str = "Unknown",
    ) -> None:
        super().__init__(f"more than {limit} bytes without an end: {line!r}")
        self.args = (line, limit, actual_size)


class InvalidHeader(BadHttpMessage):
    """A header line cannot be read.

    Attributes:
        hdr: The line.
    """

    def __init__(self, hdr: bytes | str) -> None:
        self.hdr = hdr.decode(errors="backslashreplace") if type(hdr) is bytes else hdr
        super().__init__(f"invalid header line {hdr!r}")
        self.args = (hdr,)


class BadStatusLine(BadHttpMessage):
    """A message does not begin as it has to.

    Attributes:
        line: The line.
    """

    def __init__(self, line: str = "", error: str | None = None) -> None:
        super().__init__(error or f"bad status line {line!r}")
        self.args = (line,) if error is None else (line, error)
        self.line = line


class BadHttpMethod(BadStatusLine):
    """The method of a request is none."""

    def __init__(self, line: str = "", error: str | None = None) -> None:
        super().__init__(line, error or f"bad method in {line!r}")


class InvalidURLError(BadHttpMessage):
    """The target of a request is none."""
