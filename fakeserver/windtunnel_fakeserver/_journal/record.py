"""Values of the journal: wire events, connections, exchanges.

Comes in: facts from the serving side. Goes out: records that tests and reports read.
Must not know: sockets, routes, how a report looks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from windtunnel_fakeserver._wire.reply_writer import status_of

if TYPE_CHECKING:
    from windtunnel_fakeserver._wire.request import Request

Direction: TypeAlias = Literal["in", "out", ""]
EventKind: TypeAlias = Literal["open", "data", "eof", "reset", "close", "tls", "note"]


@dataclass(frozen=True, slots=True)
class WireEvent:
    """One thing that happened on one connection, as the server saw it.

    Attributes:
        time: Seconds since the start of the tunnel.
        direction: ``"in"`` from the client, ``"out"`` from the server, ``""`` neither.
        kind: What happened.
        data: The bytes, after TLS, for kind ``data``; empty otherwise.
        text: Words for a reader, such as the reason of a failed handshake.
    """

    time: float
    direction: Direction
    kind: EventKind
    data: bytes = b""
    text: str = ""


@dataclass(slots=True)
class ConnectionRecord:
    """One accepted connection, from accept to close.

    Attributes:
        number: From 0, in the order of accepting, over all hosts of the tunnel.
        server: Origin of the fake server, ``https://api.example.com``.
        peer: Address of the client, ``198.18.0.1:49152``.
        opened: Seconds since the start of the tunnel.
        closed: The same for the end, None while the server's side is open.
        tls: True once a TLS handshake has succeeded on it.
        client_name: Common name in the certificate that the client showed, if any.
        scripted: Name of the script that serves it, empty for routes.
        events: Everything in order.
    """

    number: int
    server: str
    peer: str
    opened: float
    closed: float | None = None
    tls: bool = False
    client_name: str = ""
    scripted: str = ""
    events: list[WireEvent] = field(default_factory=list[WireEvent])

    @property
    def received(self) -> bytes:
        """All bytes from the client, after TLS."""
        return b"".join(e.data for e in self.events if e.direction == "in")

    @property
    def sent(self) -> bytes:
        """All bytes to the client, before TLS."""
        return b"".join(e.data for e in self.events if e.direction == "out")

    @property
    def client_open(self) -> bool:
        """True while the client has neither ended, reset nor lost the connection."""
        return self.closed is None and not any(
            e.direction == "in" and e.kind in ("eof", "reset") for e in self.events
        )


Outcome: TypeAlias = Literal["open", "replied", "unmatched", "failed", "cut"]


@dataclass(slots=True)
class Exchange:
    """One request and what was answered to it.

    Attributes:
        number: Position in the journal of the tunnel, from 0.
        request: What was read; the head alone until the body is complete.
        reply_status: Status of the final reply, None while there is none.
        replied: Seconds since the start when the reply began, None before.
        outcome: ``open`` until answered; ``unmatched`` when nothing fitted;
            ``failed`` when the answering code raised; ``cut`` when the client ended
            in the middle of the request.
        answered_by: Words for what answered, such as ``expect("GET", "/")``.
        mark: How many wire events the connection had when the request was read.
        reply_mark: The same for the beginning of the reply.
        sent: Pieces of the reply as they were put on the wire, head included.
    """

    number: int
    request: Request
    reply_status: int | None = None
    replied: float | None = None
    outcome: Outcome = "open"
    answered_by: str = ""
    mark: int = 0
    reply_mark: int = 0
    sent: list[bytes] = field(default_factory=list[bytes])

    @property
    def connection(self) -> int:
        """Number of the connection, from 0."""
        return self.request.connection

    @property
    def sent_raw(self) -> bytes:
        """The exact bytes of the reply, interim replies included."""
        return b"".join(self.sent)

    @property
    def sent_body(self) -> bytes:
        """The bytes behind the final head, framing included, as far as it was sent."""
        data = self.sent_raw
        while 100 <= (status_of(data) or 0) < 200:
            data = data.partition(b"\r\n\r\n")[2]
        return data.partition(b"\r\n\r\n")[2]
