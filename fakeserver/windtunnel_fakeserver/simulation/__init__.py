"""A simulated kernel, network and clock under CPython's own event loop.

``World`` is the way in: it has a clock, a network, a trace and makes the loop. The flow
from top to bottom::

    world     one test's world: seed, settings, leaks
    loop      CPython's selector loop with the kernel replaced (refusals, stand_ins)
    pacer     when virtual time moves; deadlocks, livelocks, budgets (report)
    selector  which registered sockets are ready; executor: thread jobs in order
    socket    what Linux answers to socket calls (shadow: a real descriptor to poll)
    network   listeners, what is under way, what arrives when (rules, shape, dns)
    tcp       both ends of a connection, without time
    clock, trace, wallclock, errors
"""

from __future__ import annotations

from windtunnel_fakeserver.simulation.clock import Clock, Jump
from windtunnel_fakeserver.simulation.dns import Zone
from windtunnel_fakeserver.simulation.errors import (
    DeadlockError,
    LivelockError,
    NotSimulatedError,
    SimulationError,
    StuckThreadError,
    UnknownAddressError,
    UnknownHostError,
)
from windtunnel_fakeserver.simulation.loop import SimLoop
from windtunnel_fakeserver.simulation.network import Network
from windtunnel_fakeserver.simulation.rules import ConnectRule
from windtunnel_fakeserver.simulation.socket import SimSocket
from windtunnel_fakeserver.simulation.trace import Trace, TraceEvent
from windtunnel_fakeserver.simulation.wallclock import install_time_shim
from windtunnel_fakeserver.simulation.world import World

__all__ = [
    "Clock",
    "ConnectRule",
    "DeadlockError",
    "Jump",
    "LivelockError",
    "Network",
    "NotSimulatedError",
    "SimLoop",
    "SimSocket",
    "SimulationError",
    "StuckThreadError",
    "Trace",
    "TraceEvent",
    "UnknownAddressError",
    "UnknownHostError",
    "World",
    "Zone",
    "install_time_shim",
]
