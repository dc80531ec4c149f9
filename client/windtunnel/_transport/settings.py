"""What a connection has to know about the response it waits for. Only values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from windtunnel._wire.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from windtunnel._body.stream import StreamReader
    from windtunnel._wire.head import Head

DEFAULT_READ_BUFSIZE = 2**18


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How to receive one response; most requests of a session share one.

    Attributes:
        limits: What to refuse.
        read_bufsize: Bytes of body to keep before reading slows down; reading stops
            above twice as many.
        auto_decompress: Whether to undo content codings.
        sock_read: Seconds of silence to bear; None or 0 for any.
        max_decoded_size: Bytes that a compressed body may decode to; None for any.
        read_until_eof: Whether a body may end with the connection; else a response
            that does not say how long it is has none.
    """

    limits: Limits = DEFAULT_LIMITS
    read_bufsize: int = DEFAULT_READ_BUFSIZE
    auto_decompress: bool = True
    sock_read: float | None = None
    max_decoded_size: int | None = None
    read_until_eof: bool = True


class Answer:
    """A response as the connection hands it over.

    Attributes:
        head: Status line and fields.
        coding: Content-Encoding of the body, often empty.
        body: The whole encoded body, if it came with the head. Then the connection is
            already free for others.
        stream: The body as it arrives, else.
    """

    __slots__ = ("body", "coding", "head", "stream")

    def __init__(
        self, head: Head, coding: str, body: bytes, stream: StreamReader | None
    ) -> None:
        self.head = head
        self.coding = coding
        self.body = body
        self.stream = stream
