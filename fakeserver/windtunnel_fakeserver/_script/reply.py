"""Replies as values: what a route answers, and pauses between the pieces.

Comes in: the author's words. Goes out: immutable values that the server plays.
Must not know: connections, clocks, which request is answered.
"""

from __future__ import annotations

import copy
import json as json_codec
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast, final

from windtunnel_fakeserver._script.fault import Fault, check_reply_fault
from windtunnel_fakeserver._script.pace import (
    Delay,
    Hold,
    Pause,
    checked_delay,
    checked_rate,
)
from windtunnel_fakeserver._wire.coding import Encoding, as_encoding
from windtunnel_fakeserver._wire.compat import override
from windtunnel_fakeserver._wire.request import Request

if TYPE_CHECKING:
    from windtunnel_fakeserver._script.plan import Plan

HeadersLike: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


@final
class Reply:
    """One well-formed reply. Broken ones go through ``Route.raw`` or a script.

    The server adds Content-Length (or chunked framing for ``chunks``) and a
    Content-Type, unless ``headers`` has them. With a Content-Length of your own,
    ``chunks`` are sent as they are, without chunked framing: a slow body of known
    length. A reply may be given many times, so it is never changed after it is made.

    Args:
        status: 100..999; 1xx is sent as it is, without a body.
        headers: A mapping, or pairs where order and duplicates matter.
        body: Bytes, sent as ``application/octet-stream`` unless empty.
        json: Any JSON value, sent as ``application/json`` in UTF-8.
        text: Sent as ``text/plain; charset=utf-8``.
        chunks: Pieces put on the wire one by one; ``pause(s)`` or a gate between them
            waits.
        delay: Seconds of loop time before the first byte of the reply, or a ``Delay``
            for each moment.
        reason: Reason phrase; None takes the usual one, ``""`` none.
        fault: What goes wrong while it is sent, such as
            ``Eof(at="response_body", after=4)``.
        encoding: ``"gzip"``, ``"deflate"``, several in the order of applying, or an
            ``Encoding`` that is damaged; the Content-Encoding field is added.
        length: Content-Length to be told, right or wrong; None tells the real one.
            ``chunks`` are then sent without chunked framing.
        trailers: Fields behind the body, which is then chunked; named in a Trailer
            field. An HTTP/1.0 client does not get them.
        informational: Interim replies before this one, such as
            ``[Reply(103, {"link": "..."}), pause(1)]``; none for an HTTP/1.0 client.
            ``delay`` comes behind them.
        throttle: Bytes per second of the body, framing included; None for no limit.
        hold: A gate, ``tunnel.gate()``, that must be passed before anything else.

    Raises:
        ValueError: More than one kind of body, a value out of range, or a fault of a
            moment that is over when a reply is chosen.
        TypeError: A body, piece, fault or gate of the wrong type.
    """

    __slots__ = (
        "body",
        "body_delay",
        "chunks",
        "delay",
        "encoding",
        "fault",
        "headers",
        "hold",
        "informational",
        "length",
        "media_type",
        "plans",
        "reason",
        "status",
        "throttle",
        "trailers",
    )

    def __init__(
        self,
        status: int = 200,
        headers: HeadersLike | None = None,
        *,
        body: bytes = b"",
        json: Any = ...,
        text: str | None = None,
        chunks: Iterable[bytes | Pause | Hold] | None = None,
        delay: float | Delay = 0.0,
        reason: str | None = None,
        fault: Fault | None = None,
        encoding: str | Sequence[str] | Encoding | None = None,
        length: int | None = None,
        trailers: HeadersLike | None = None,
        informational: Iterable[Reply | Pause | Hold] = (),
        throttle: float | None = None,
        hold: Hold | None = None,
    ) -> None:
        kinds = (bool(body), json is not ..., text is not None, chunks is not None)
        if sum(kinds) > 1:
            msg = "Reply takes one of body=, json=, text=, chunks=, not several"
            raise ValueError(msg)
        if not 100 <= status <= 999:
            msg = f"Reply status {status!r} is not in 100..999"
            raise ValueError(msg)
        self.status = status
        self.headers = header_pairs(headers)
        delays = checked_delay(delay)
        self.delay = delays.headers
        self.body_delay = delays.body
        self.throttle = checked_rate(throttle)
        self.hold = _checked_hold(hold)
        self.length = _checked_length(length)
        self.trailers = header_pairs(trailers)
        self.informational = tuple(_checked_interim(item) for item in informational)
        self.reason = reason
        self.fault = check_reply_fault(fault)
        self.chunks = None if chunks is None else _pieces(chunks)
        self.plans: dict[tuple[bool, bool, bool], Plan] = {}
        self.media_type = ""
        if json is not ...:
            self.media_type = "application/json"
            self.body = json_codec.dumps(json, ensure_ascii=False).encode()
        elif text is not None:
            self.media_type = "text/plain; charset=utf-8"
            self.body = text.encode()
        else:
            self.body = _bytes_only(body, "body")
            if self.body or self.chunks:
                self.media_type = "application/octet-stream"
        self.encoding = None if encoding is None else as_encoding(encoding)
        self._encode()
        self._announce_trailers()

    def with_fault(self, fault: Fault) -> Reply:
        """Make the same reply with something that goes wrong while it is sent.

        Raises:
            TypeError: It is no fault.
            ValueError: Its moment is over when a reply is chosen.
        """
        other = copy.copy(self)
        other.fault = check_reply_fault(fault)
        # They are of the reply without it.
        other.plans = {}
        return other

    def _announce_trailers(self) -> None:
        if not self.trailers:
            return
        given = {name.lower() for name, _ in self.headers}
        if self.length is not None or "content-length" in given:
            msg = (
                "Reply(trailers=...) with a Content-Length: "
                "only chunked bodies have them (RFC 9112 section 7.1.2)"
            )
            raise ValueError(msg)
        if "trailer" not in given:
            names = ", ".join(dict(self.trailers))
            self.headers = (*self.headers, ("Trailer", names))

    def _encode(self) -> None:
        """Replace the body, or the pieces of it, by what goes on the wire."""
        if self.encoding is None:
            return
        if self.chunks is None:
            [self.body] = self.encoding.encode([self.body])
            return
        plain = [piece for piece in self.chunks if isinstance(piece, bytes)] or [b""]
        encoded = iter(self.encoding.encode(plain))
        played = tuple(
            next(encoded) if isinstance(piece, bytes) else piece
            for piece in self.chunks
        )
        # Nothing but pauses: the encoded nothing comes behind them.
        self.chunks = (*played, *encoded)

    @override
    def __repr__(self) -> str:
        """Show what would be typed to get it, long bodies cut."""
        delay = Delay(self.delay, self.body_delay) if self.body_delay else self.delay
        shown = (
            (self.headers, f"headers=<{len(self.headers)} fields>"),
            (self.chunks is not None, f"chunks=<{len(self.chunks or ())} pieces>"),
            (self.body, f"body=<{len(self.body)} bytes>"),
            (self.encoding, f"encoding={self.encoding!r}"),
            (self.trailers, f"trailers=<{len(self.trailers)} fields>"),
            (self.informational, f"informational=<{len(self.informational)} pieces>"),
            (self.length is not None, f"length={self.length}"),
            (delay, f"delay={delay!r}"),
            (self.throttle, f"throttle={self.throttle!r}"),
            (self.hold, f"hold={self.hold!r}"),
            (self.fault, f"fault={self.fault!r}"),
        )
        parts = [str(self.status), *(text for given, text in shown if given)]
        return f"Reply({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class RawReply:
    """Bytes sent as they are, whole; then the connection stays as HTTP rules say."""

    data: bytes


App: TypeAlias = Callable[[Request], Reply | Awaitable[Reply]]
Answer: TypeAlias = Reply | RawReply | App


def header_pairs(headers: HeadersLike | None) -> tuple[tuple[str, str], ...]:
    """Turn a mapping or pairs into pairs, in order, checked to be text.

    Raises:
        TypeError: A name or value is not ``str``.
    """
    if headers is None:
        return ()
    is_mapping = isinstance(headers, Mapping)
    items = cast("Mapping[str, str]", headers).items() if is_mapping else headers
    pairs: list[tuple[str, str]] = []
    for name, value in cast("Iterable[tuple[object, object]]", items):
        if not isinstance(name, str) or not isinstance(value, str):
            msg = f"header {name!r}: {value!r} must be two str"
            raise TypeError(msg)
        pairs.append((name, value))
    return tuple(pairs)


def _pieces(
    chunks: Iterable[bytes | Pause | Hold],
) -> tuple[bytes | Pause | Hold, ...]:
    return tuple(
        piece
        if isinstance(piece, Pause | Hold)
        else _bytes_only(piece, "a piece of chunks")
        for piece in chunks
    )


def _checked_length(length: int | None) -> int | None:
    if length is not None and not length >= 0:
        msg = f"Reply(length={length!r}): must be >= 0 bytes, use headers= for nonsense"
        raise ValueError(msg)
    return length


def _checked_interim(item: object) -> Reply | Pause | Hold:
    if isinstance(item, Pause | Hold):
        return item
    if not isinstance(item, Reply):
        msg = f"informational={item!r:.40}: must be Reply(103, ...), pause(s) or a gate"
        raise TypeError(msg)
    if not 100 <= item.status < 200 or item.status == 101:
        msg = f"informational={item!r}: must be 1xx, and 101 ends the exchange"
        raise ValueError(msg)
    return item


def _checked_hold(hold: object) -> Hold | None:
    if hold is None or isinstance(hold, Hold):
        return hold
    msg = f"Reply(hold={hold!r:.40}): must be a gate, tunnel.gate()"
    raise TypeError(msg)


def _bytes_only(value: object, what: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bytearray):
        return bytes(value)
    msg = f"{what} is {type(value).__name__}, must be bytes (use text= or json=)"
    raise TypeError(msg)
