"""The reply writer: status, fields and pieces in, bytes for the wire out. No I/O.

Comes in: values that the author chose, right or wrong. Goes out: exactly those, in
HTTP/1.1 form. It checks nothing: a fake server must be able to send broken bytes.
Must not know: requests, routes, sockets.

Spec: RFC 9112 sections 4 and 7.1.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REASONS = {int(status): status.phrase for status in HTTPStatus}


def write_head(
    status: int, reason: str | None, headers: Iterable[tuple[str, str]]
) -> bytes:
    """Return status line, field lines and the empty line.

    Args:
        status: Any number.
        reason: None takes the registered phrase, or none for an unknown status.
        headers: In the order to be sent; text above U+00FF goes out as UTF-8.
    """
    if reason is None:
        reason = _REASONS.get(status, "")
    return _lines(f"HTTP/1.1 {status} {reason}", headers)


def write_last_chunk(trailers: Iterable[tuple[str, str]]) -> bytes:
    """Return the last chunk, the trailer field lines and the empty line.

    Spec: RFC 9112 section 7.1.2.
    """
    return _lines("0", trailers)


def _lines(first: str, fields: Iterable[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in fields)]
    text = "\r\n".join(lines) + "\r\n\r\n"
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def write_chunk(data: bytes) -> bytes:
    """Return one chunk; ``data`` must not be empty, an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def status_of(data: bytes) -> int | None:
    """Return the status of bytes that begin with a status line, else None.

    Used for the journal of scripts and raw replies, which may send anything.
    """
    if not data.startswith(b"HTTP/"):
        return None
    words = data[:64].split(b"\n", 1)[0].split()
    if len(words) < 2 or not (len(words[1]) == 3 and words[1].isdigit()):
        return None
    return int(words[1])
