"""From a reply to what goes on the wire: pieces, pauses, and whether to close.

Comes in: a ``Reply`` and the request that it answers. Goes out: a ``Plan``. Must not
know: sockets, tasks, how a pause is waited for.

Spec: RFC 9110 sections 6.4.1, 6.6.2, 8.6 and 15.2, RFC 9112 sections 6 and 9.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from windtunnel_fakeserver._script.fault import Fault
from windtunnel_fakeserver._script.pace import Hold, Pause, throttled
from windtunnel_fakeserver._script.strike import struck
from windtunnel_fakeserver._wire.reply_writer import (
    status_of,
    write_chunk,
    write_head,
    write_last_chunk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windtunnel_fakeserver._script.reply import RawReply, Reply
    from windtunnel_fakeserver._wire.request import Request

Piece: TypeAlias = bytes | Pause | Hold | Fault
_MAX_KEPT = 65536


@dataclass(frozen=True, slots=True)
class Plan:
    """One reply, ready to be played.

    Attributes:
        status: For the journal; None when raw bytes have no status line.
        pieces: Each ``bytes`` is put on the wire by itself, each pause or gate
            waited for, a fault happens.
        close: Whether the connection ends behind it.
        head_at: Offset of the final head among the bytes.
        body_at: Offset of the first byte behind that head.
        unfired: Why a fault has no place in it, empty when there is none or it has.
    """

    status: int | None
    pieces: tuple[Piece, ...]
    close: bool
    head_at: int = 0
    body_at: int = 0
    unfired: str = ""


def wants_close(request: Request) -> bool:
    """Say whether the request asks for the connection to be closed.

    Spec: RFC 9112 section 9.3.
    """
    values = request.header_values("connection")
    if not values:
        return request.version == "HTTP/1.0"
    options = ",".join(values).lower()
    names = [name.strip() for name in options.split(",")]
    if "close" in names:
        return True
    return request.version == "HTTP/1.0" and "keep-alive" not in names


def plan_raw(reply: RawReply, request: Request) -> Plan:
    """Return the plan for bytes that are sent as they are."""
    close = wants_close(request) or not request.complete
    return Plan(status_of(reply.data), (reply.data,), close)


def plan_reply(reply: Reply, request: Request) -> Plan:
    """Return the plan for a well-formed reply.

    A body is left out where none may be (HEAD, 1xx, 204, 304). An HTTP/1.0 client
    gets ``chunks`` unframed, ended by the close of the connection.
    """
    close = wants_close(request) or not request.complete
    key = (request.method == "HEAD", request.version == "HTTP/1.0", close)
    plan = reply.plans.get(key)
    if plan is None:
        plan = _plan(reply, *key)
        if reply.fault is not None:
            plan = struck(plan, reply.fault)
        if len(reply.body) <= _MAX_KEPT:
            # A route gives the same reply again and again; few kinds of request ask.
            reply.plans[key] = plan
    return plan


def plain_plan(reply: Reply) -> Plan:
    """Return the plan of a reply to a GET of HTTP/1.1 on a connection that stays."""
    return _plan(reply, is_head=False, is_old=False, close=False)


def _plan(reply: Reply, is_head: bool, is_old: bool, close: bool) -> Plan:
    headers = list(reply.headers)
    given = {name.lower(): value for name, value in headers}
    has_length = "content-length" in given
    bodiless = reply.status < 200 or reply.status in (204, 304)
    if reply.media_type and "content-type" not in given and not bodiless:
        headers.append(("Content-Type", reply.media_type))
    if reply.encoding and "content-encoding" not in given and not bodiless:
        headers.append(("Content-Encoding", ", ".join(reply.encoding.codings)))
    close = close or "close" in given.get("connection", "").lower()
    chunked = "chunked" in given.get("transfer-encoding", "").lower()
    if not (bodiless or has_length or chunked):
        if reply.length is not None:
            headers.append(("Content-Length", str(reply.length)))
        elif reply.chunks is None and (is_old or not reply.trailers):
            headers.append(("Content-Length", str(len(reply.body))))
        elif is_old:
            close = True
        else:
            chunked = True
            headers.append(("Transfer-Encoding", "chunked"))
    if "connection" not in given:
        if close:
            headers.append(("Connection", "close"))
        elif is_old:
            headers.append(("Connection", "keep-alive"))
    head = write_head(reply.status, reply.reason, headers)
    body = () if bodiless or is_head else _body(reply, chunked=chunked)
    # An HTTP/1.0 client does not know of interim replies.
    early = () if is_old else tuple(_interim(reply.informational))
    head_at = sum(len(piece) for piece in early if isinstance(piece, bytes))
    before = ((reply.hold,) if reply.hold else ()) + early
    delay = (Pause(reply.delay),) if reply.delay else ()
    pieces = (*before, *delay, *_joined(head, body, reply))
    return Plan(reply.status, pieces, close, head_at, head_at + len(head))


def _interim(items: tuple[Reply | Pause | Hold, ...]) -> Iterator[Piece]:
    for item in items:
        if isinstance(item, Pause | Hold):
            yield item
            continue
        if item.delay:
            yield Pause(item.delay)
        yield write_head(item.status, item.reason, item.headers)


def _joined(head: bytes, body: tuple[Piece, ...], reply: Reply) -> tuple[Piece, ...]:
    if not body:
        return (head,)
    if reply.throttle is not None:
        body = throttled(body, reply.throttle)
    if reply.body_delay:
        return (head, Pause(reply.body_delay), *body)
    first = body[0]
    if reply.chunks is None and isinstance(first, bytes):
        # One write for head and body, as any server would do for a small one.
        return (head + first, *body[1:])
    return (head, *body)


def _body(reply: Reply, *, chunked: bool) -> tuple[Piece, ...]:
    source = (reply.body,) if reply.chunks is None else reply.chunks
    pieces: list[Piece] = []
    for piece in source:
        if not isinstance(piece, bytes):
            pieces.append(piece)
        elif piece:
            pieces.append(write_chunk(piece) if chunked else piece)
    if not chunked:
        return tuple(pieces)
    last = write_last_chunk(reply.trailers)
    if reply.chunks is None:
        # In one write with what it ends.
        return (b"".join(p for p in pieces if isinstance(p, bytes)) + last,)
    return (*pieces, last)
