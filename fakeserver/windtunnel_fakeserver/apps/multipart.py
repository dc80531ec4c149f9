"""Split a multipart/form-data body into its parts.

Comes in: the whole body and its Content-Type. Goes out: parts with their bytes as they
were. Lenient as a server should be; a body that is no multipart gives no parts. Must
not know: how a client writes one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_DISPOSITION: Final = re.compile(
    rb"^content-disposition:\s*form-data\s*;(.*)$", re.IGNORECASE | re.MULTILINE
)
_PARAMETER: Final = re.compile(rb'\b(name|filename)="([^"]*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form: ``filename`` is None for a plain value."""

    name: str
    filename: str | None
    content: bytes


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of a multipart form, in order.

    Args:
        body: The whole body.
        content_type: The Content-Type value with its boundary parameter.

    Spec: RFC 7578 section 4; RFC 2046 section 5.1.1 for the delimiter lines.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        return []
    delimiter = b"\r\n--" + (found[1] or found[2]).encode("latin-1")
    # The first delimiter needs no line break before it; give it one, so that all
    # delimiters look alike. What follows the closing one is no part.
    pieces = (b"\r\n" + body).split(delimiter)[1:]
    parts: list[Part] = []
    for piece in pieces:
        if piece.startswith(b"--"):
            break
        head, _, content = piece.partition(b"\r\n\r\n")
        part = _part(head, content)
        if part is not None:
            parts.append(part)
    return parts


def _part(head: bytes, content: bytes) -> Part | None:
    disposition = _DISPOSITION.search(head)
    if disposition is None:
        return None
    fields = {
        name.lower(): value.decode("utf-8", "replace")
        for name, value in _PARAMETER.findall(disposition[1])
    }
    if b"name" not in fields:
        return None
    return Part(fields[b"name"], fields.get(b"filename"), content)
