"""The head of a response, parsed the fast way.

In comes the text of a whole head, out goes a ``Head``, or None if anything about it
is unusual. It judges nothing: whatever is not perfectly regular is read again by
``head_exact``, which knows every leniency, every limit and every error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from windtunnel._wire.limits import Limits

HEAD_END: Final = b"\r\n\r\n"

TOKEN_CHARACTERS: Final = r"!#$%&'*+\-.^_`|~0-9A-Za-z"

# A value is "anything up to the line end", which the engine finds three times faster
# than "anything but CR, LF and NUL"; that none of them hides in it is counted instead.
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: (.*))?\r\n")
_FIELD_LINES = re.compile(rf"(?:[{TOKEN_CHARACTERS}]++:.*\r\n)*+")
# Of lines that are known to match the former.
_FIELD_LINE = re.compile(r"([^:]+):[ \t]*(.*)\r\n")
# What every response is asked for; only few are asked for all their fields.
_TELLING_LINE = re.compile(
    r"\n(content-(?:length|encoding)|transfer-encoding|connection|set-cookie)"
    r":[ \t]*(.*)\r",
    re.IGNORECASE,
)


class Head:
    """Status line and fields of one response.

    Attributes:
        status: 100..999.
        reason: Reason phrase without surrounding blanks, often empty.
        minor: Minor version of HTTP/1.x.
        telling: At least those of the fields that say where the body ends, how it is
            coded and which cookies are set.
    """

    __slots__ = ("_fields", "_text", "minor", "reason", "status", "telling")

    def __init__(
        self,
        status: int,
        reason: str,
        minor: int,
        telling: list[tuple[str, str]],
        text: str | None = None,
    ) -> None:
        """Make a head.

        Args:
            status: As the attribute.
            reason: As the attribute.
            minor: As the attribute.
            telling: As the attribute; all fields if there is no text.
            text: Regular field lines, to be taken apart when somebody asks for them.
        """
        self.status = status
        self.reason = reason
        self.minor = minor
        self.telling = telling
        self._text = text
        self._fields: list[tuple[str, str]] | None = None

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Name and value pairs in wire order.

        Names are as they were spelled, values without surrounding blanks; bytes that
        are not UTF-8 are surrogate escapes, so that the original bytes can be had back.
        """
        if self._text is None:
            return self.telling
        if self._fields is None:
            self._fields = _stripped(_FIELD_LINE.findall(self._text))
        return self._fields


def parse_regular_head(text: str, limits: Limits) -> Head | None:
    """Parse a head that is in the form every sane server sends.

    Args:
        text: Status line and field lines, each with its CRLF, without the empty line
            that ends the head; decoded as UTF-8 with surrogate escapes.
        limits: A head that could exceed one of them is not regular.

    Returns:
        The head, or None if ``head_exact`` has to look at it.

    Spec: RFC 9112 sections 4 and 5.
    """
    status_line = _STATUS_LINE.match(text)
    if status_line is None:
        return None
    position = status_line.end()
    size = len(text)
    lines = text.count("\n")
    # Each line ends in one CR and one LF: with as many of either, no CR is in a value.
    if (
        _FIELD_LINES.fullmatch(text, position) is None
        or text.count("\r") != lines
        or "\0" in text
        or lines - 1 > limits.max_headers
        or size > limits.max_line_size
        or size > limits.max_field_size
    ):
        return None
    minor, status, reason = status_line.groups("")
    telling = _stripped(_TELLING_LINE.findall(text, position - 1))
    return Head(int(status), reason.strip(" \t"), int(minor), telling, text[position:])


def _stripped(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Remove blanks behind values; those in front are gone already."""
    for _, value in fields:
        if value[-1:] in (" ", "\t"):
            return [(name, value.rstrip(" \t")) for name, value in fields]
    return fields
