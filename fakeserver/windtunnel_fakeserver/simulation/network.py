"""The network of one world: who listens where, what is under way, what arrives when.

In: connects, bytes, FINs and RSTs of simulated sockets; rules for connects. Out: the
same at the other end, later. Everything under way waits in one queue ordered by arrival
time. It must not know the loop: the loop asks for the next arrival and says deliver.
"""

from __future__ import annotations

import errno
import heapq
import ipaddress
import itertools
import os
import socket
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from windtunnel_fakeserver.simulation.dns import Zone, is_literal
from windtunnel_fakeserver.simulation.errors import UnknownAddressError
from windtunnel_fakeserver.simulation.rules import ConnectRule, RuleBook
from windtunnel_fakeserver.simulation.shape import Latency, Shape, Split
from windtunnel_fakeserver.simulation.socket import SimSocket
from windtunnel_fakeserver.simulation.tcp import Closing, Endpoint, Pipe, connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel_fakeserver.simulation.clock import Clock
    from windtunnel_fakeserver.simulation.trace import Trace

__all__ = ["Listener", "Network"]

# Where clients of the world live when they talk to something that is not loopback.
CLIENT_HOSTS = ("198.19.0.1", "2001:db8::1")
_FIRST_SERVER_PORT = 20_000
_FIRST_CLIENT_PORT = 50_000


@dataclass(slots=True, eq=False)
class Listener:
    """One listening address.

    Attributes:
        socket: The listening socket.
        name: Host and port.
        backlog: So many connections may wait in ``queue``.
        queue: Connections that were established and not accepted yet.
        expected: Handshakes that were answered and will join the queue.
        waiting: Connects that found no room and try again when there is some.
        is_open: False once the listening socket is closed.
    """

    socket: SimSocket
    name: tuple[str, int]
    backlog: int
    queue: deque[SimSocket] = field(default_factory=lambda: deque[SimSocket]())
    expected: int = 0
    is_open: bool = True
    waiting: deque[Callable[[], None]] = field(
        default_factory=lambda: deque["Callable[[], None]"]()
    )


class Network:
    """All addresses, connections and packets of one world.

    Attributes:
        dns: The names of the world.
        window: Bytes that may be under way or unread in one direction; connections
            made later use the new value.
        coalesce: True lets one read return several segments, as a kernel does; False
            returns at most one segment, so that scripted boundaries are kept.
        sockets: Open sockets by shadow descriptor, in the order of making.
        readable: Those of them that are readable.
        reads: How many reads took bytes so far.
    """

    def __init__(
        self,
        clock: Clock,
        trace: Trace,
        seed: int | str = 0,
        *,
        latency: Latency = 0.0001,
        split: Split = None,
    ) -> None:
        self.dns = Zone()
        self.window = 65_536
        self.coalesce = False
        self.sockets: dict[int, SimSocket] = {}
        self.readable: dict[int, SimSocket] = {}
        self.reads = 0
        self._seed = seed
        self._clock = clock
        self._trace = trace
        self._shape = Shape(self.stream, latency, split)
        self._rules = RuleBook()
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._tickets = itertools.count()
        self._numbers = itertools.count()
        self._attempts = itertools.count()
        self._server_ports = itertools.count(_FIRST_SERVER_PORT)
        self._client_ports = itertools.count(_FIRST_CLIENT_PORT)
        self._streams: dict[str, Random] = {}
        self._foreign_ports: set[int] = set()

    # -- what users call -------------------------------------------------------------

    def listen(self, address: str, port: int, backlog: int = 100) -> SimSocket:
        """Listen on an address, at once and without a running loop.

        Args:
            address: IPv4 or IPv6 literal; it belongs to the world from now on.
            port: 1 to 65535, or 0 for a free one.
            backlog: So many connections may wait for ``accept``; later ones hang.

        Returns:
            A listening socket for ``loop.create_server(factory, sock=...)``. Whoever
            takes it closes it.

        Raises:
            ValueError: ``address`` is no IP literal, or the port is out of range.
            OSError: EADDRINUSE, somebody listens there.
        """
        family = socket.AF_INET
        if ipaddress.ip_address(address).version == 6:
            family = socket.AF_INET6
        listening = self.socket(family)
        try:
            listening.bind((address, port))
            listening.listen(backlog)
        except BaseException:
            listening.close()
            raise
        return listening

    def socket(self, family: socket.AddressFamily = socket.AF_INET) -> SimSocket:
        """Make an unconnected socket for the ``sock_*`` calls of the loop."""
        return SimSocket(self, family)

    def refuse(
        self, address: str, port: int | None = None, *, times: int | None = None
    ) -> ConnectRule:
        """Refuse connects: the client gets ECONNREFUSED after one round trip.

        Args:
            address: IP literal, or a name of the zone (all its present addresses).
            port: Only this port; None means every port.
            times: So many connects; None means all.

        Returns:
            The rule, which counts its ``hits`` and has ``remove()``.

        Raises:
            UnknownHostError: The name is not declared.
        """
        return self._rules.add("refuse", self._addresses(address), port, times)

    def hang(
        self, address: str, port: int | None = None, *, times: int | None = None
    ) -> ConnectRule:
        """Never answer connects, as behind a firewall that drops packets.

        Arguments, result and errors are those of ``refuse``.
        """
        return self._rules.add("hang", self._addresses(address), port, times)

    def unreachable(
        self, address: str, port: int | None = None, *, times: int | None = None
    ) -> ConnectRule:
        """Let connects fail at once with ENETUNREACH.

        Arguments, result and errors are those of ``refuse``.
        """
        return self._rules.add("unreachable", self._addresses(address), port, times)

    def stream(self, name: str) -> Random:
        """Return the random stream of this name; equal seed and name, equal numbers.

        One stream per purpose keeps the others as they are when one more is used.
        """
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Random(f"{self._seed}/{name}")
        return stream

    # -- the loop's side -------------------------------------------------------------

    def next_arrival(self) -> float | None:
        """Loop time of the next thing that arrives anywhere; None if there is none."""
        return self._queue[0][0] if self._queue else None

    def open_clients(self) -> set[str]:
        """Name the client ends that are open, ``198.18.0.1:49152``, as servers do."""
        names: set[str] = set()
        for end in self.sockets.values():
            if end.endpoint is not None and end.endpoint.outbound.direction == ">":
                host, port = end.getsockname()[:2]
                names.add(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        return names

    def deliver(self) -> None:
        """Let everything arrive that is due now, in order."""
        queue = self._queue
        now = self._clock.instant
        while queue and queue[0][0] <= now:
            _, _, act, arguments = heapq.heappop(queue)
            act(*arguments)

    def note_foreign_port(self, port: int) -> None:
        """Keep a port that the operating system chose out of the trace."""
        self._foreign_ports.add(port)

    def is_name(self, host: str) -> bool:
        """Whether ``host`` has to be looked up; an IP literal has not."""
        return not is_literal(host)

    def note_look_up(self, name: str) -> None:
        """Record that a name was looked up."""
        self._trace.add("dns", text=name)

    def close(self) -> None:
        """Close every socket and forget what is under way."""
        for open_socket in list(self.sockets.values()):
            open_socket.close()
        self._queue.clear()

    # -- sockets: addresses ----------------------------------------------------------

    def claim(self, host: str, port: int) -> tuple[str, int]:
        """Give a socket its own address; port 0 takes a free one.

        Raises:
            ValueError: ``host`` is no IP literal, or the port is out of range.
            OSError: EADDRINUSE, somebody listens there.
        """
        literal = str(ipaddress.ip_address(host or "0.0.0.0"))
        if not 0 <= port <= 65_535:
            raise ValueError(f"port {port!r} is out of range, allowed is 0 to 65535")
        if port == 0:
            taken = {used for _, used in self._listeners}
            port = next(free for free in self._server_ports if free not in taken)
        if (literal, port) in self._listeners:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        return literal, port

    def add_listener(
        self, listening: SimSocket, name: tuple[str, int], backlog: int
    ) -> Listener:
        """Open an address for connects.

        Raises:
            OSError: EADDRINUSE, somebody listens there.
        """
        name = self.claim(*name)
        listener = Listener(listening, name, max(backlog, 1))
        self._listeners[name] = listener
        return listener

    def remove_listener(self, listener: Listener) -> None:
        """Close an address; connections that nobody accepted are reset."""
        del self._listeners[listener.name]
        listener.is_open = False
        while listener.queue:
            orphan = listener.queue.popleft()
            assert orphan.endpoint is not None
            self.close_connection(orphan.endpoint, abortive=True)
            orphan.close()
        waiting = list(listener.waiting)
        listener.waiting.clear()
        for attempt in waiting:
            attempt()

    def accept(self, listener: Listener) -> SimSocket:
        """Take one connection; a connect that waited for room goes on."""
        accepted = listener.queue.popleft()
        self._make_room(listener)
        return accepted

    def _make_room(self, listener: Listener) -> None:
        if listener.waiting:
            listener.waiting.popleft()()

    # -- sockets: connecting ---------------------------------------------------------

    def connect(self, client: SimSocket, host: str, port: int) -> None:
        """Send the first packet of a connect.

        Raises:
            UnknownAddressError: Nobody declared the address.
            OSError: ENETUNREACH, a rule says so.
        """
        literal = str(ipaddress.ip_address(host))
        # Linux connects to the local host when asked for "any address".
        literal = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(literal, literal)
        rule = self._rules.match(literal, port)
        kind = "connect" if rule is None else rule.kind
        self._trace.add(kind, text=self._label(literal, port))
        if kind == "unreachable":
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        if rule is None and not self._has_address(literal):
            raise UnknownAddressError(literal, port)
        if kind == "hang":
            return
        latency = self._shape.delay(f"connect {next(self._attempts)}")
        target = (literal, port)
        listens = self._refused if kind == "refuse" else self._syn_arrives
        self._at(latency, listens, client, target, latency)

    def _syn_arrives(
        self, client: SimSocket, target: tuple[str, int], latency: float
    ) -> None:
        listener = self._find_listener(*target)
        if client.closed:
            return
        if listener is None:
            self._refused(client, target, latency)
        elif len(listener.queue) + listener.expected >= listener.backlog:
            listener.waiting.append(lambda: self._syn_arrives(client, target, latency))
        else:
            listener.expected += 1
            self._at(latency, self._established, client, target, latency, listener)

    def _refused(
        self, client: SimSocket, target: tuple[str, int], latency: float
    ) -> None:
        self._trace.add("refused", text=self._label(*target))
        self._at(latency, client.fail_connect, errno.ECONNREFUSED)

    def _established(
        self,
        client: SimSocket,
        target: tuple[str, int],
        latency: float,
        listener: Listener,
    ) -> None:
        if client.closed:
            listener.expected -= 1
            self._make_room(listener)
            return
        near, far = connection(next(self._numbers), self.window)
        name = self._client_name(client, target[0])
        self._trace.add("open", near.outbound.number, text=self._label(*target))
        client.establish(near, name, target)
        # The server hears of it one way later, and of nothing else before.
        near.outbound.last_arrival = self._clock.instant + latency
        self._at(latency, self._reached_server, far, target, name, listener)

    def _reached_server(
        self,
        far: Endpoint,
        target: tuple[str, int],
        peer: tuple[str, int],
        listener: Listener,
    ) -> None:
        listener.expected -= 1
        if not listener.is_open:
            self.close_connection(far, abortive=True)
            return
        accepted = SimSocket(self, listener.socket.family)
        accepted.establish(far, target, peer)
        listener.queue.append(accepted)
        listener.socket.refresh()

    # -- sockets: data ---------------------------------------------------------------

    def transmit(self, sender: Endpoint, data: bytes) -> None:
        """Put bytes on the wire that the sender's window has admitted."""
        pipe = sender.outbound
        pipe.in_flight += len(data)
        for piece in self._shape.pieces(pipe, data):
            self._send(pipe, self._data_arrives, sender.peer, piece)

    def send_fin(self, sender: Endpoint) -> None:
        """Put a FIN on the wire, behind everything sent before."""
        self._send(sender.outbound, self._fin_arrives, sender.peer)

    def close_connection(self, endpoint: Endpoint, *, abortive: bool) -> None:
        """Close one end and put on the wire what that means."""
        closing = endpoint.close(abortive=abortive)
        pipe = endpoint.outbound
        self._trace.add("close", pipe.number, pipe.direction)
        if closing is Closing.FIN:
            self.send_fin(endpoint)
        elif closing is Closing.RESET:
            self._send(pipe, self._reset_arrives, endpoint.peer)

    def count_read(self, reader: Endpoint, size: int) -> None:
        """Record that the application took bytes."""
        self.reads += 1
        pipe = reader.inbound
        self._trace.add("read", pipe.number, pipe.direction, size)

    def _data_arrives(self, receiver: Endpoint, piece: bytes) -> None:
        pipe = receiver.inbound
        if receiver.arrive(piece):
            self._trace.add("data", pipe.number, pipe.direction, len(piece))
        else:
            self._send(receiver.outbound, self._reset_arrives, receiver.peer)

    def _fin_arrives(self, receiver: Endpoint) -> None:
        pipe = receiver.inbound
        self._trace.add("fin", pipe.number, pipe.direction)
        receiver.arrive_fin()

    def _reset_arrives(self, receiver: Endpoint) -> None:
        pipe = receiver.inbound
        self._trace.add("reset", pipe.number, pipe.direction)
        receiver.arrive_reset()

    def _send(self, pipe: Pipe, act: Callable[..., None], *arguments: Any) -> None:
        arrival = self._clock.instant + self._shape.pipe_delay(pipe)
        # Never before something that was sent earlier: this is one TCP stream.
        pipe.last_arrival = arrival = max(arrival, pipe.last_arrival)
        heapq.heappush(self._queue, (arrival, next(self._tickets), act, arguments))

    def _at(self, delay: float, act: Callable[..., None], *arguments: Any) -> None:
        arrival = self._clock.instant + delay
        heapq.heappush(self._queue, (arrival, next(self._tickets), act, arguments))

    # -- addresses -------------------------------------------------------------------

    def _addresses(self, host: str) -> frozenset[str]:
        try:
            return frozenset({str(ipaddress.ip_address(host))})
        except ValueError:
            return frozenset(self.dns.look_up(host).addresses)

    def _has_address(self, literal: str) -> bool:
        return (
            ipaddress.ip_address(literal).is_loopback
            or self.dns.has_address(literal)
            or any(host == literal for host, _ in self._listeners)
        )

    def _find_listener(self, literal: str, port: int) -> Listener | None:
        everywhere = "::" if ":" in literal else "0.0.0.0"
        found = self._listeners.get((literal, port))
        return found or self._listeners.get((everywhere, port))

    def _client_name(self, client: SimSocket, target: str) -> tuple[str, int]:
        host, port = client.getsockname()[:2]
        if host in ("0.0.0.0", "::"):
            loopback = ipaddress.ip_address(target).is_loopback
            host = target if loopback else CLIENT_HOSTS[":" in target]
        return host, port or next(self._client_ports)

    def _label(self, host: str, port: int) -> str:
        return f"{host}:{'*' if port in self._foreign_ports else port}"
