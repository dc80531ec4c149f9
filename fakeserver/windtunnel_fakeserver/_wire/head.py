"""Request heads: where one ends, and a tolerant reading of it.

Comes in: bytes that may be anything. Goes out: the place of the end, then a ``Head``
whose ``notes`` say what was odd. Nothing is refused and nothing is repaired: a fake
server is there to show what a client does. Must not know: bodies, sockets, time.

Spec: RFC 9112 sections 2.2, 3 and 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LEADING_EMPTY_LINES = re.compile(rb"(?:\r?\n)*")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_VERSION = re.compile(r"HTTP/\d\.\d\Z")
# Nothing to note about this one: the whole head in one match.
_CLEAN = re.compile(
    r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-~]+ HTTP/\d\.\d\r\n"
    r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n"
)
_BAD_VALUE = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Head:
    """The reading of one request head.

    Attributes:
        raw: Exact bytes, up to and including the empty line.
        notes: Oddities with byte offsets from the start of ``raw``.
    """

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    raw: bytes
    notes: list[str]

    def values(self, name: str) -> list[str]:
        """Return all values of a field; ``name`` is lower case."""
        return [value for found, value in self.headers if found.lower() == name]


def find_head_end(buffer: bytearray, scanned: int) -> int:
    """Find the offset just behind the first head in a buffer.

    A line ends with LF, with or without a CR before it. Empty lines before the
    request line belong to the head.

    Args:
        buffer: What has arrived so far.
        scanned: How many bytes an earlier call has already looked at, so that
            a head that trickles in is not searched from its start each time.

    Returns:
        The offset, or -1 when the end has not arrived.
    """
    start = max(_lead(buffer), scanned - 2)
    end = buffer.find(b"\n\r\n", start)
    # An LF-only end counts when it comes first.
    bare = buffer.find(b"\n\n", start, end if end >= 0 else len(buffer))
    if bare >= 0:
        return bare + 2
    return end + 3 if end >= 0 else -1


def _lead(data: bytes | bytearray) -> int:
    """Return how many bytes of empty lines come before the request line."""
    if data[:1] not in (b"\r", b"\n"):
        return 0
    lead = _LEADING_EMPTY_LINES.match(data)
    return lead.end() if lead else 0


def parse_head(raw: bytes) -> Head:
    """Read one whole head, as ``find_head_end`` cut it.

    Spec: RFC 9112 sections 3 and 5; every departure becomes a note.
    """
    text = raw.decode("latin-1")
    if _CLEAN.fullmatch(text):
        return _clean_head(raw, text)
    return _odd_head(raw, text)


def _clean_head(raw: bytes, text: str) -> Head:
    lines = text.split("\r\n")
    method, target, version = lines[0].split(" ")
    headers: list[tuple[str, str]] = []
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        headers.append((name, value.strip(" \t")))
    return Head(method, target, version, headers, raw, [])


def _odd_head(raw: bytes, text: str) -> Head:
    notes: list[str] = []
    start = _lead(raw)
    if start:
        notes.append("byte 0: empty line before the request line (RFC 9112 2.2)")
    lines = text[start:].split("\n")[:-2]
    offset = start
    headers: list[tuple[str, str]] = []
    method = target = version = ""
    for index, ended in enumerate(lines):
        line = ended[:-1] if ended.endswith("\r") else ended
        if line is ended:
            notes.append(
                f"byte {offset + len(line)}: bare LF ends a line (RFC 9112 2.2)"
            )
        if index == 0:
            method, target, version = _request_line(line, offset, notes)
        else:
            _field_line(line, offset, headers, notes)
        offset += len(ended) + 1
    if not raw.endswith(b"\r\n"):
        notes.append(f"byte {len(raw) - 1}: bare LF ends the head (RFC 9112 2.2)")
    return Head(method, target, version, headers, raw, notes)


def _request_line(line: str, offset: int, notes: list[str]) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) == 3:
        method, target, version = parts
    else:
        method, _, rest = line.partition(" ")
        target, _, version = rest.rpartition(" ")
        if not version.startswith("HTTP/"):
            target, version = rest, ""
        notes.append(
            f"byte {offset}: request line {line[:40]!r} is not three parts (RFC 9112 3)"
        )
    if not _TOKEN.match(method):
        notes.append(
            f"byte {offset}: method {method[:40]!r} is not a token (RFC 9110 9.1)"
        )
    if not target or _odd_target(target):
        notes.append(
            f"byte {offset}: target {target[:40]!r} is not plain ASCII (RFC 9112 3.2)"
        )
    if not _VERSION.match(version):
        notes.append(
            f"byte {offset}: version {version[:40]!r} is not HTTP/d.d (RFC 9112 2.3)"
        )
    return method, target, version


def _odd_target(target: str) -> bool:
    return not (target.isascii() and target.isprintable()) or " " in target


def _field_line(
    line: str, offset: int, headers: list[tuple[str, str]], notes: list[str]
) -> None:
    if line[:1] in (" ", "\t") and headers:
        name, value = headers[-1]
        headers[-1] = (name, f"{value}\r\n{line}")
        notes.append(f"byte {offset}: folded field line (RFC 9112 5.2)")
        return
    name, colon, value = line.partition(":")
    if not colon:
        notes.append(
            f"byte {offset}: field line {line[:40]!r} has no colon (RFC 9112 5)"
        )
    elif not _TOKEN.match(name):
        notes.append(
            f"byte {offset}: field name {name[:40]!r} is not a token (RFC 9112 5.1)"
        )
    value = value.strip(" \t")
    if _BAD_VALUE.search(value):
        notes.append(
            f"byte {offset}: value {value[:40]!r} has control characters (RFC 9110 5.5)"
        )
    headers.append((name, value))
