"""Turns the journal of a fake server into the wire evidence of an outcome.

In: the journal's records, the origins of a case, and the seats its connections had.
Out: ``SeenConnection`` values, times counted from the beginning of the run. Copies
everything, so that evidence outlives the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel_conformance.frames import read_frames
from windtunnel_conformance.outcome import SeenConnection, SeenEvent, SeenRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windtunnel_conformance.outcome import SeenFrame
    from windtunnel_conformance.play import Cast, Seat
    from windtunnel_fakeserver import ConnectionRecord, Exchange, Journal, Request


def seen_connections(
    journal: Journal, casts: Mapping[str, Cast], *, began: float
) -> tuple[SeenConnection, ...]:
    """Collect what the peers of one run saw.

    Args:
        journal: Of the whole venue.
        casts: By origin of the fake server (``http://a.test``), in the case's names.
        began: Journal time at which the client's actions began.
    """
    places: dict[str, int] = {}
    found: list[SeenConnection] = []
    for record in journal.connections:
        place = places[record.server] = places.get(record.server, -1) + 1
        cast = casts[record.server]
        exchanges = (one for one in journal if one.connection == record.number)
        found.append(_connection(record, exchanges, cast, place, began))
    return tuple(found)


def open_connections(journal: Journal) -> int:
    """Count the connections that the client has not ended."""
    return sum(record.client_open for record in journal.connections)


def _connection(
    record: ConnectionRecord,
    exchanges: Iterable[Exchange],
    cast: Cast,
    place: int,
    began: float,
) -> SeenConnection:
    seat = cast.seats.get(record.number)
    requests = [_request(one.request, seat, began) for one in exchanges]
    return SeenConnection(
        number=record.number,
        origin=cast.origin,
        peer=cast.peer_for(place) if seat is None else seat.peer,
        requests=tuple(requests),
        bytes_after={"tls": _bytes_after_tls(record)},
        events=tuple(
            SeenEvent(
                event.time - began, event.direction, event.kind, event.data, event.text
            )
            for event in record.events
        ),
        problem=seat.problem if seat is not None else None,
        frames=_frames(record, seat),
    )


def _frames(record: ConnectionRecord, seat: Seat | None) -> tuple[SeenFrame, ...]:
    if seat is None or not seat.upgraded:
        return ()
    # A handshake has no body, so the frames begin behind its head.
    return read_frames(record.received.partition(b"\r\n\r\n")[2])


def _request(request: Request, seat: Seat | None, began: float) -> SeenRequest:
    # A request whose body broke off stays in the journal as its head; what came after
    # the head is with the seat.
    cut = b"" if request.complete or seat is None else seat.cut
    return SeenRequest(
        time=request.time - began,
        raw=request.raw + cut,
        line=request.raw.lstrip(b"\r\n").split(b"\r\n", 1)[0].decode("latin-1"),
        method=request.method,
        target=request.target,
        headers=tuple(request.headers),
        body=request.body + cut,
        complete=request.complete,
    )


def _bytes_after_tls(record: ConnectionRecord) -> int:
    if not record.tls:
        return 0
    return len(record.received)
