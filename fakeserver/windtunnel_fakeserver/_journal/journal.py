"""The journal: every connection and exchange of one tunnel, and questions to it.

Comes in: records and events from the serving side, with a clock to ask. Goes out:
lists, views by server, and timeline lines. Must not know: sockets, routes, verdicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from windtunnel_fakeserver._journal.record import (
    ConnectionRecord,
    Direction,
    EventKind,
    Exchange,
    WireEvent,
)
from windtunnel_fakeserver._journal.timeline import timeline_lines
from windtunnel_fakeserver._wire.compat import override
from windtunnel_fakeserver.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windtunnel_fakeserver._wire.request import Request


class Journal:
    """What happened, in order; a list of exchanges with questions on top.

    ``len``, indexing and iteration are over ``exchanges``. A journal of one server
    (``FakeServer.journal``) is a live view of the tunnel's journal.

    Args:
        now: Gives seconds since the start of the tunnel.
    """

    __slots__ = ("_connections", "_exchanges", "_now", "_server")
    __hash__ = None  # type: ignore[assignment]  # a list that grows has no hash

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._server: str | None = None
        self._connections: list[ConnectionRecord] = []
        self._exchanges: list[Exchange] = []

    def view(self, server: str) -> Journal:
        """Return the live part of this journal that belongs to one origin."""
        part = Journal(self._now)
        part._connections = self._connections
        part._exchanges = self._exchanges
        part._server = server
        return part

    # -- questions -------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the start of the tunnel."""
        return self._now()

    @property
    def connections(self) -> list[ConnectionRecord]:
        """Accepted connections in order; ``number`` counts over all servers."""
        if self._server is None:
            return self._connections
        return [c for c in self._connections if c.server == self._server]

    @property
    def exchanges(self) -> list[Exchange]:
        """Requests that were read, in order, with what was answered."""
        if self._server is None:
            return self._exchanges
        return [x for x in self._exchanges if x.request.server == self._server]

    @property
    def requests(self) -> list[Request]:
        """The requests of ``exchanges``."""
        return [exchange.request for exchange in self.exchanges]

    def __len__(self) -> int:
        return len(self.exchanges)

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> list[Exchange]: ...
    def __getitem__(self, index: int | slice) -> Exchange | list[Exchange]:
        return self.exchanges[index]

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)

    @override
    def __eq__(self, other: object) -> bool:
        if isinstance(other, Journal):
            return self.exchanges == other.exchanges
        return self.exchanges == other if isinstance(other, list) else NotImplemented

    def all(self, method: str, path: str | None = None) -> list[Request]:
        """Return the requests with this method and path, in order.

        Args:
            method: Compared as it is.
            path: With a ``?`` it is compared with path and query, else with the
                path; None takes any.
        """
        return [r for r in self.requests if _is(r, method, path)]

    def one(self, method: str, path: str | None = None) -> Request:
        """Return the only request with this method and path.

        Raises:
            VerificationError: There is none, or more than one; the message lists
                what there was.
        """
        found = self.all(method, path)
        if len(found) != 1:
            raise VerificationError(
                self._surprise("exactly 1", len(found), method, path)
            )
        return found[0]

    def none(self, method: str, path: str | None = None) -> None:
        """Check that no such request was made.

        Raises:
            VerificationError: There is one; the message lists what there was.
        """
        found = self.all(method, path)
        if found:
            raise VerificationError(self._surprise("no", len(found), method, path))

    def timeline(self, limit: int = 40) -> list[str]:
        """Return lines for a reader, oldest first, at most ``limit`` of them.

        When there are more, the newest are kept and the first line says how many
        were left out. Values of secret headers never appear.
        """
        return timeline_lines(self.connections, self.exchanges, limit)

    def _surprise(self, wanted: str, found: int, method: str, path: str | None) -> str:
        name = f"{method} {path}" if path is not None else method
        lines = [f"wanted {wanted} request {name}, the journal has {found}"]
        lines += [
            f"  #{x.number} {x.request.method} {x.request.target[:80]}  (connection "
            f"{x.connection}, exchange {x.request.exchange}, t={x.request.time:.3f})"
            for x in self.exchanges[:20]
        ]
        return "\n".join(lines if len(lines) > 1 else [*lines, "  no request was made"])

    # -- writing, for the serving side -----------------------------------------

    def opened(self, server: str, peer: str) -> ConnectionRecord:
        """Start the record of one accepted connection."""
        record = ConnectionRecord(len(self._connections), server, peer, self._now())
        self._connections.append(record)
        record.events.append(WireEvent(record.opened, "", "open", b"", peer))
        return record

    def event(
        self,
        record: ConnectionRecord,
        direction: Direction,
        kind: EventKind,
        data: bytes = b"",
        text: str = "",
    ) -> None:
        """Append one event, at the present time."""
        record.events.append(WireEvent(self._now(), direction, kind, data, text))

    def closed(self, record: ConnectionRecord) -> None:
        """Note that the server's side of a connection is gone; twice is once."""
        if record.closed is None:
            record.closed = self._now()
            record.events.append(WireEvent(record.closed, "", "close"))

    def exchange(self, request: Request, record: ConnectionRecord) -> Exchange:
        """Start the record of one request."""
        found = Exchange(len(self._exchanges), request, mark=len(record.events))
        self._exchanges.append(found)
        return found


def _is(request: Request, method: str, path: str | None) -> bool:
    if request.method != method:
        return False
    if path is None:
        return True
    if "?" in path:
        return f"{request.path}?{request.query_string}" == path
    return request.path == path
