"""Sets up the world of one variant, lets peers and client play in it, takes it down.

In: a variant, an adapter, and how time runs. Out: the ``Outcome``, whatever happened: a
deadlock of the simulation, an adapter that broke and a client that never ends are
evidence, not exceptions. Two worlds: a ``Tunnel`` of its own for each run, with virtual
time, and a ``Loopback`` on real sockets with scaled time.
"""

from __future__ import annotations

import asyncio
import socket
import traceback
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from windtunnel_conformance.adapters.base import AdapterError
from windtunnel_conformance.adapters.signals import Signals
from windtunnel_conformance.case import StartTls
from windtunnel_conformance.evidence import open_connections, seen_connections
from windtunnel_conformance.outcome import Outcome, Timing
from windtunnel_conformance.play import Cast
from windtunnel_conformance.watchdog import StuckError, real_limit
from windtunnel_fakeserver import Loopback, Tls, Tunnel
from windtunnel_fakeserver.simulation import SimulationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.adapters.base import Adapter, RunRequest, RunResult
    from windtunnel_conformance.case import Case, Json, Origin, Variant
    from windtunnel_fakeserver import FakeServer, Wire

# Not nothing: what was sent and what has arrived must never share an instant, or races
# hide. Small enough that a hundred hops stay within the microsecond to which a case's
# ``at`` is compared.
_LATENCY_SECONDS = 1e-8
_START_SECONDS = 1000.0
_MAX_REAL_SECONDS = 20.0
_GRACE_STEPS = 10
_GRACE_SECONDS = 0.05
_CATCH_UP_STEPS = 100
_CATCH_UP_SECONDS = 0.002
_DEADLINE_SECONDS = 4.0
_MAX_DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Assignment:
    """One run to do.

    Attributes:
        case: What it is about.
        variant: Which of its variants.
        number: Id of the run, unique for the adapter.
        timing: How its seconds run.
    """

    case: Case
    variant: Variant
    number: int
    timing: Timing


@dataclass(slots=True)
class _World:
    """What the two kinds of world have in common."""

    venue: Tunnel | Loopback
    work: Assignment
    signals: Signals = field(default_factory=Signals)
    casts: dict[str, Cast] = field(default_factory=dict[str, Cast])
    began: float = 0.0
    may_repeat: bool = False

    def declare(self) -> None:
        """Declare the hosts of the case and who plays on them."""
        for origin in self.work.variant.origins.values():
            if origin.connect == "accept":
                self._declare(origin)

    def _declare(self, origin: Origin) -> None:
        variant, timing = self.work.variant, self.work.timing
        scripts = [
            (index, peer)
            for index, peer in enumerate(variant.peers)
            if peer.on == origin.name
        ]
        # The loader begins every script of an https origin with a handshake, unless
        # the case wants to see the client's raw bytes.
        is_plain = not any(
            isinstance(step, StartTls) for _, peer in scripts for step in peer.steps
        )
        server = _host(self.venue, origin, is_plain=is_plain)
        cast_ = Cast(
            origin.name,
            scripts,
            self.signals,
            scale=timing.scale,
            real=not timing.virtual,
        )
        self.casts[server.origin] = cast_

        async def peer(wire: Wire) -> None:
            numbers = [record.number for record in server.journal.connections]
            await cast_.serve(wire, numbers.index(wire.connection))

        server.on_connect(peer, otherwise=peer)

    async def converse(self, adapter: Adapter, request: RunRequest) -> Outcome:
        """Have the client play its part; whatever goes wrong is in the outcome."""
        self.began = self.venue.journal.now
        try:
            answer = await adapter.run(request, self.signals)
        except AdapterError as exc:
            self.may_repeat = exc.may_repeat
            return Outcome(
                adapter_error=(exc.kind, exc.message),
                timing=self.work.timing,
                stderr=exc.detail,
            )
        except Exception as exc:  # noqa: BLE001  # a fault of an adapter is a result
            return Outcome(
                adapter_error=("adapter.crash", f"{type(exc).__name__}: {exc}"),
                timing=self.work.timing,
                stderr=traceback.format_exc(),
            )
        return _outcome(answer, self.work.timing)

    def with_wire(self, outcome: Outcome) -> Outcome:
        """Add what the peers saw."""
        connections = seen_connections(self.venue.journal, self.casts, began=self.began)
        return replace(outcome, connections=connections)


def run_virtual(
    work: Assignment, adapter: Adapter, *, max_real: float = _MAX_REAL_SECONDS
) -> Outcome:
    """Play one variant in a simulated world of its own.

    Args:
        work: What to play.
        adapter: A client in this process.
        max_real: Real seconds after which the run is given up.

    Returns:
        The evidence. A deadlock is ``adapter.hang`` with the table of who waits where.
    """
    start = work.case.clock.start
    tunnel = Tunnel(
        latency=_LATENCY_SECONDS,
        start=_START_SECONDS if start is None else start,
        strict=False,
        max_real=max_real,
    )
    world = _World(tunnel, work)
    world.declare()
    for origin in work.variant.origins.values():
        if origin.connect != "accept":
            tunnel.network.dns.declare(origin.host)
        if origin.connect == "hang":
            tunnel.network.hang(origin.host, origin.port)
    try:
        with real_limit(2 * max_real):
            return tunnel.run(lambda _: _act_virtually(world, tunnel, adapter))
    except (SimulationError, StuckError) as exc:
        stuck = Outcome(adapter_error=("adapter.hang", str(exc)), timing=work.timing)
        return world.with_wire(stuck)


async def _act_virtually(world: _World, tunnel: Tunnel, adapter: Adapter) -> Outcome:
    request = _request(world.work, {}, _ca_pem(tunnel, world.work.variant))
    outcome = await world.converse(adapter, request)
    leaks = dict(outcome.leaks)
    if outcome.adapter_error is None and (count := await _left_open(tunnel)):
        leaks["connections"] = count
    return world.with_wire(replace(outcome, leaks=leaks))


async def _left_open(tunnel: Tunnel) -> int:
    """Count connections that the client does not close, given time to do it."""
    for _ in range(_GRACE_STEPS):
        await tunnel.clock.advance(_GRACE_SECONDS)
        if not open_connections(tunnel.journal):
            break
    return open_connections(tunnel.journal)


async def run_real(work: Assignment, adapter: Adapter) -> tuple[Outcome, bool]:
    """Play one variant on loopback sockets, in the running loop and in scaled time.

    Returns:
        The evidence, and whether a repeat alone is fair, because another run may have
        broken the adapter.
    """
    async with Loopback(strict=False) as venue:
        world = _World(venue, work)
        world.declare()
        await venue.start()
        resolve = dict(venue.resolve)
        closed: list[socket.socket] = []
        for origin in work.variant.origins.values():
            if origin.connect == "refuse":
                # Bound and not listening: nobody else can get the port meanwhile.
                closed.append(sock := socket.socket())
                sock.bind(("127.0.0.1", 0))
                port: int = sock.getsockname()[1]
                resolve[f"{origin.host}:{origin.port}"] = f"127.0.0.1:{port}"
        try:
            request = _request(work, resolve, _ca_pem(venue, work.variant))
            outcome = await world.converse(adapter, request)
            await _caught_up(venue)
        finally:
            for sock in closed:
                sock.close()
        return world.with_wire(outcome), world.may_repeat


async def _caught_up(venue: Loopback) -> None:
    """Let the peers see the last bytes of a client that has ended its session.

    Real bytes take their time. Clients close at the end of a run, so the wait is short;
    it is bounded for those that do not.
    """
    for _ in range(_CATCH_UP_STEPS):
        await asyncio.sleep(_CATCH_UP_SECONDS)
        if not open_connections(venue.journal):
            break


def _host(venue: Tunnel | Loopback, origin: Origin, *, is_plain: bool) -> FakeServer:
    if origin.tls is None or is_plain:
        # A script that is to see raw TLS bytes gets them from a host without TLS.
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        return venue.host(f"http://{host}:{origin.port}")
    tls = Tls(
        origin.tls.names,
        origin.tls.common_name,
        trusted=origin.tls.ca == "trusted",
    )
    return venue.host(origin.url, tls=tls)


def _ca_pem(venue: Tunnel | Loopback, variant: Variant) -> str:
    # Making an authority costs tenths of a second: only who needs it pays.
    needed = any(origin.tls is not None for origin in variant.origins.values())
    return venue.authority.ca_pem if needed else ""


def _request(work: Assignment, resolve: dict[str, str], ca_pem: str) -> RunRequest:
    return {
        "op": "run",
        "id": work.number,
        "case": work.case.id,
        "variant": work.variant.key,
        "scale": work.timing.scale,
        "deadline_ms": round(_deadline(work) * 1000),
        "env": {
            "resolve": resolve,
            "ca_pem": ca_pem,
            "wall": work.case.clock.wall or "",
        },
        "session": dict(work.case.session),
        "actions": [action.to_json() for action in work.variant.actions],
    }


def _deadline(work: Assignment) -> float:
    """Real seconds after which a client in another process counts as hung."""
    longest = max((one.at or 0.0 for one in work.variant.alternatives), default=0.0)
    return min(
        _DEADLINE_SECONDS + 2 * longest * work.timing.scale, _MAX_DEADLINE_SECONDS
    )


def _outcome(answer: RunResult, timing: Timing) -> Outcome:
    results = cast("Mapping[str, Mapping[str, Json]]", answer["results"])
    ends = [one["t"][1] for one in answer["results"].values() if "t" in one]
    return Outcome(
        results=results,
        ended_at=max(ends, default=None),
        timing=timing,
        leaks=answer.get("leaks", {}),
        unsupported=answer.get("unsupported"),
    )
