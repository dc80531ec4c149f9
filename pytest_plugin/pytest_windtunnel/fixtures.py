"""The fixtures: one root, ``windtunnel``, and parts of it.

Comes in: the test that asks. Goes out: its tunnel, clock, server, session. Must not
know: loops, verification. Loaded in every pytest run, so it imports only pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import windtunnel as client
    from pytest_windtunnel.tunnel import WindTunnel
    from windtunnel_fakeserver import Cut, FakeServer, Reply, ThreadedLoopback
    from windtunnel_fakeserver.simulation import Clock


@pytest.fixture
def windtunnel(request: pytest.FixtureRequest) -> Iterator[WindTunnel]:
    """The tunnel of this test: simulated network and clock, fake servers, journal.

    ``windtunnel.host("https://api.example.com")`` declares a server,
    ``windtunnel.session()`` makes a client session that trusts it, and when the test
    ends everything is closed and what was expected is verified. In a plain ``def``
    test, ``windtunnel.run(main)`` runs a coroutine function in the tunnel.
    """
    # Late, so that runs without a simulated test load neither loops nor servers.
    from pytest_windtunnel.loops import open_loop
    from pytest_windtunnel.trial import trial_of

    trial = trial_of(request.node)
    if trial is None:
        pytest.fail(
            f"{request.node.nodeid}: the fixture `windtunnel` was asked for by "
            f"request.getfixturevalue() in a test that does not name it; mark the test "
            f"with @pytest.mark.windtunnel",
            pytrace=False,
        )
    with open_loop(trial, request):
        yield trial.open_tunnel()
        trial.land()


@pytest.fixture
def wt_server(windtunnel: WindTunnel) -> FakeServer:
    """The default server of the tunnel, ``http://server.test``."""
    return windtunnel.server


@pytest.fixture
def wt_clock(windtunnel: WindTunnel) -> Clock:
    """The virtual clock of the tunnel."""
    return windtunnel.clock


@pytest.fixture
def wt_session(windtunnel: WindTunnel) -> client.ClientSession:
    """A session of the reference client in the tunnel, closed when the test ends."""
    return windtunnel.session()


@pytest.fixture
def windtunnel_loopback() -> Iterator[ThreadedLoopback]:
    """Fake servers on real 127.0.0.1 sockets, in a thread, for blocking clients.

    ``windtunnel_loopback.server.on("GET", "/")`` declares, and any client can use
    ``windtunnel_loopback.server.url("/")``. Time is real; what was expected is verified
    when the test is over.
    """
    from windtunnel_fakeserver import ThreadedLoopback

    with ThreadedLoopback() as venue:
        yield venue


@pytest.fixture
def wt_cut(request: pytest.FixtureRequest, windtunnel: WindTunnel) -> Reply:
    """The reply that ``@pytest.mark.windtunnel_sweep`` varies, as it is this time."""
    from pytest_windtunnel.trial import CUT

    cut: Cut | None = request.node.stash.get(CUT, None)
    if cut is None:
        pytest.fail(
            f"{request.node.nodeid}: the fixture `wt_cut` needs "
            f"@pytest.mark.windtunnel_sweep(Reply(...)) on the test",
            pytrace=False,
        )
    return cut.reply


@pytest.fixture
def make_wt_server(windtunnel: WindTunnel) -> Callable[..., FakeServer]:
    """Makes one more server at each call.

    Takes what ``windtunnel.host`` takes; without an origin the servers are
    ``http://server-2.test``, ``http://server-3.test`` and so on.
    """
    made = 1

    def make(origin: str | None = None, /, **options: Any) -> FakeServer:
        nonlocal made
        made += 1
        return windtunnel.host(origin or f"http://server-{made}.test", **options)

    return make
