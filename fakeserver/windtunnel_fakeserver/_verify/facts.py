"""What the judge needs to know, as plain values.

Comes in: facts gathered by the serving side. Goes out: the same, typed. Must not
know: sockets, event loops, how the story is printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from windtunnel_fakeserver._journal.journal import Journal
    from windtunnel_fakeserver._script.routes import Place, Routes


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception out of the author's own code.

    Attributes:
        kind: ``script`` for ``on_connect``, ``answer`` for an app or reply function.
        server: Origin of the server.
        connection: Number of the connection.
        name: Name of the function.
        error: The exception, with its own traceback.
    """

    kind: Literal["script", "answer"]
    server: str
    connection: int
    name: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class UnusedScript:
    """A script that no connection came for."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class UnfiredFault:
    """A fault that was armed and never came to pass.

    Attributes:
        fault: As it would be typed.
        where: Words for what it was armed on.
        reason: Why it did not, as far as that is known.
        place: Where it was given to a connection; None on a reply.
    """

    fault: str
    where: str
    reason: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One server: its routes and what of it was not used."""

    origin: str
    routes: Routes
    unused_scripts: tuple[UnusedScript, ...] = ()
    unfired: tuple[UnfiredFault, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one run.

    Attributes:
        journal: All connections and exchanges.
        servers: In the order of declaring.
        failures: In the order of happening.
        leaks: Words for what was left open or pending.
        seed: For the headline; None where there is none (loopback).
        until: Seconds since the start when the test was over.
    """

    journal: Journal
    servers: tuple[ServerFacts, ...]
    failures: tuple[Failure, ...] = ()
    leaks: tuple[str, ...] = field(default=())
    seed: int | str | None = None
    until: float = 0.0
