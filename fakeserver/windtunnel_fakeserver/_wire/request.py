"""One recorded request: what the client sent, byte for byte, and easy readings of it.

Comes in: the parts that the request reader found. Goes out: a value that is never
changed. Must not know: sockets, clocks, routes, replies.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came off the wire.

    ``raw`` is the truth; everything else is a reading of it. Names and values of
    headers are latin-1 text; spaces and tabs around a value are not part of it, any
    other oddity stays where it was and is described in ``notes``.

    Attributes:
        method: The method, in the letters that were sent.
        target: The request target as sent: origin, absolute, authority or ``*`` form.
        version: For example ``HTTP/1.1``; empty when the line had none.
        headers: Field lines in wire order, duplicates included.
        body: The body after transfer decoding; content codings stay applied.
        raw: The exact bytes, from the first byte of the request to the last.
        connection: Number of the connection in the journal, from 0.
        exchange: Number of the request on that connection, from 0.
        time: Seconds since the start of the tunnel when the head was read.
        server: Origin of the fake server that got it, ``http://a.test``.
        notes: What was wrong or odd in it, with byte offsets from its first byte.
        trailers: Field lines after a chunked body, in wire order.
        complete: False for a head whose body was not (or not fully) read.
    """

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes
    raw: bytes
    connection: int = 0
    exchange: int = 0
    time: float = 0.0
    server: str = ""
    notes: tuple[str, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()
    complete: bool = True

    @property
    def path(self) -> str:
        """The path of the target, still percent-encoded, without the query.

        An absolute-form target gives its path; ``*`` and authority form give
        themselves.
        """
        return _split_target(self.target)[0]

    @property
    def query_string(self) -> str:
        """What follows the first ``?`` of the target, or an empty string."""
        return _split_target(self.target)[1]

    @property
    def query(self) -> list[tuple[str, str]]:
        """Query pairs, percent-decoded, in order, blank values kept."""
        return parse_qsl(self.query_string, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """Return the first value of a field, or None; case does not matter."""
        wanted = name.lower()
        for found, value in self.headers:
            if found.lower() == wanted:
                return value
        return None

    def header_values(self, name: str) -> list[str]:
        """Return all values of a field in wire order; case does not matter."""
        wanted = name.lower()
        return [value for found, value in self.headers if found.lower() == wanted]

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, lower case, or an empty string."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the body read as JSON.

        Raises:
            ValueError: The body is not JSON; the message shows its start.
        """
        try:
            return json.loads(self.body)
        except ValueError as exc:
            msg = f"body {self.body[:40]!r} of {self._name()} is not JSON: {exc}"
            raise ValueError(msg) from exc

    def form(self) -> list[tuple[str, str]]:
        """Return the pairs of a URL-encoded form, decoded, in order.

        Raises:
            ValueError: The body has a Content-Type and it is not
                ``application/x-www-form-urlencoded``.
        """
        kind = self.media_type
        if kind not in ("", _FORM_TYPE):
            msg = f"body of {self._name()} is {kind[:40]!r}, form() reads {_FORM_TYPE}"
            raise ValueError(msg)
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def text(self, encoding: str | None = None) -> str:
        """Return the body as text, by ``encoding``, the charset parameter, or UTF-8.

        Raises:
            UnicodeDecodeError: The bytes are not text in that encoding.
            LookupError: The encoding has no codec.
        """
        return self.body.decode(encoding or self._charset() or "utf-8")

    def _charset(self) -> str:
        for part in (self.header("content-type") or "").split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                return value.strip().strip('"')
        return ""

    def _name(self) -> str:
        return (
            f"{self.method} {self.target[:40]} "
            f"(connection {self.connection}, exchange {self.exchange})"
        )


def _split_target(target: str) -> tuple[str, str]:
    """Split a request target into path and query, without decoding either.

    Spec: RFC 9112 section 3.2.
    """
    rest = target
    if not target.startswith("/") and "://" in target.partition("?")[0]:
        rest = target.partition("://")[2]
        cut = min(
            (at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=-1
        )
        rest = rest[cut:] if cut >= 0 else ""
    path, _, query = rest.partition("?")
    return path or "/", query
