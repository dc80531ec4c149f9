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
# Anchored to the start of a line: otherwise a bad name would be skipped over and its
# tail taken for a good one.
_FIELD_LINE = re.compile(rf"^([{TOKEN_CHARACTERS}]+):[ \t]*(.*)\r\n", re.MULTILINE)


class Head:
    """Status line and fields of one response.

    Attributes:
        status: 100..999.
        reason: Reason phrase without surrounding blanks, often empty.
        minor: Minor version of HTTP/1.x.
        fields: Name and value pairs in wire order, names as they were spelled,
            values without surrounding blanks; bytes that are not UTF-8 are
            surrogate escapes, so that the original bytes can be had back.
    """

    __slots__ = ("fields", "minor", "reason", "status")

    def __init__(
        self, status: int, reason: str, minor: int, fields: list[tuple[str, str]]
    ) -> None:
        self.status = status
        self.reason = reason
        self.minor = minor
        self.fields = fields


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
    fields: list[tuple[str, str]] = _FIELD_LINE.findall(text, position)
    count = len(fields)
    # Each match took one LF and the CR before it. With as many of either as lines,
    # every line matched, none was skipped, and no other CR is left for a value.
    if (
        text.count("\n") != count + 1
        or text.count("\r") != count + 1
        or "\0" in text
        or count > limits.max_headers
        or len(text) > min(limits.max_line_size, limits.max_field_size)
    ):
        return None
    if " \r\n" in text or "\t\r\n" in text:
        fields = [(name, value.rstrip(" \t")) for name, value in fields]
    minor, status, reason = status_line.groups("")
    return Head(int(status), reason.strip(" \t"), int(minor), fields)
