"""What the simulation raises: about the run, about the network, about its limits.

In: facts of the failure. Out: exceptions whose text says what to do next. It must
not know the loop, the clock or the network.

::

    RuntimeError
      SimulationError        the run itself went wrong; raised out of the loop
        DeadlockError        nothing can run and nothing is scheduled
        LivelockError        work without end: no time, or too much time, passes
        StuckThreadError     a thread that the world waits for does not finish
    NotImplementedError
      NotSimulatedError      a thing that only the real mode can do
    OSError
      UnknownAddressError    a connect to an address outside the world
      socket.gaierror
        UnknownHostError     a look-up of a name that nobody declared
"""

from __future__ import annotations

import errno
import socket

__all__ = [
    "DeadlockError",
    "LivelockError",
    "NotSimulatedError",
    "SimulationError",
    "StuckThreadError",
    "UnknownAddressError",
    "UnknownHostError",
]


class SimulationError(RuntimeError):
    """The simulated run cannot go on.

    It is raised out of ``run_until_complete``, past every task, so that no
    ``except Exception`` of the code under test can swallow it.
    """


class DeadlockError(SimulationError):
    """Nothing can run, and no timer or network event will ever change that."""


class LivelockError(SimulationError):
    """The run used up a budget: passes at one instant, virtual or real seconds."""


class StuckThreadError(SimulationError):
    """A thread job or ``clock.hold()`` kept virtual time frozen for too long."""


class NotSimulatedError(NotImplementedError):
    """Something the simulated kernel does not have.

    The base is ``NotImplementedError`` because libraries already expect that from
    loops on platforms without the feature.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not simulated, allowed are TCP connections through the event "
            f"loop; use the real mode for it (windtunnel_fakeserver.Loopback serves "
            f"the same scenario on real sockets)"
        )


class UnknownHostError(socket.gaierror):
    """A name was looked up that the simulated world does not have.

    Attributes:
        host: The name as it was asked for.
    """

    def __init__(self, host: str) -> None:
        super().__init__(
            socket.EAI_NONAME,
            f"host {host[:80]!r} is not part of this simulated world; declare it with "
            f'tunnel.host("http://{host[:80]}") or '
            f"network.dns.add({host[:80]!r}, [address])",
        )
        self.host = host


class UnknownAddressError(OSError):
    """A connect went to an address that the simulated world does not have.

    Attributes:
        address: The address and port as they were asked for.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            errno.ENETUNREACH,
            f"address {host!r} (port {port}) is not part of this simulated world; "
            f'declare a server with tunnel.host("http://{host}:{port}") or '
            f"network.listen({host!r}, {port})",
        )
        self.address = (host, port)
