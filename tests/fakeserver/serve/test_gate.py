"""Gates, delays and throttled bodies, on the wire and in time."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakeserver.venues import Play, Venue, both, connect, on_tunnel
from windtunnel_fakeserver import Delay, Gate, Reply, Tunnel
from windtunnel_fakeserver.simulation import DeadlockError

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def ask(venue: Venue) -> bytes:
    async with connect(venue, venue.server) as client:
        await client.send(GET)
        return (await client.read_reply())[1]


@both
def test_two_requests_are_in_flight_until_the_gate_opens(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        gate = venue.gate("token")
        route = venue.server.on("GET", "/").reply(Reply(text="a", hold=gate))
        tasks = [asyncio.create_task(ask(venue)) for _ in range(2)]
        await gate.arrived(2)
        assert (gate.count, gate.waiting, route.count) == (2, 2, 2)
        assert not any(task.done() for task in tasks)
        assert [x.replied for x in venue.journal] == [None, None]
        gate.release()
        assert await asyncio.gather(*tasks) == [b"a", b"a"]
        assert await ask(venue) == b"a"
        assert repr(gate) == "<Gate token open, 3 arrived, 0 held>"

    play(scenario)


def test_a_gate_lets_the_oldest_go_on_and_can_be_closed_again() -> None:
    async def scenario(tunnel: Venue) -> None:
        gate = tunnel.gate()
        tunnel.server.on("GET", "/").reply(
            *(Reply(text=name, hold=gate) for name in "abcd")
        )
        tasks = [asyncio.create_task(ask(tunnel)) for _ in range(3)]
        await gate.arrived(3)
        gate.release(2)
        assert await tasks[0] + await tasks[1] in (b"ab", b"ba")
        assert repr(gate) == "<Gate closed, 3 arrived, 1 held>"
        with pytest.raises(ValueError, match=r"release\(2\) of <Gate closed, 3 arr"):
            gate.release(2)
        gate.release()
        await tasks[2]
        gate.hold()
        last = asyncio.create_task(ask(tunnel))
        await gate.arrived(4)
        gate.release(1)
        assert await last == b"d"

    on_tunnel(scenario)


def test_a_gate_may_stand_between_two_pieces() -> None:
    async def scenario(tunnel: Venue) -> None:
        gate = tunnel.gate()
        reply = Reply(headers={"content-length": "2"}, chunks=[b"a", gate, b"b"])
        tunnel.server.expect("GET", "/").reply(reply)
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            await client.read_head()
            assert await client.reader.read(9) == b"a"
            gate.release()
            assert await client.reader.read(9) == b"b"

    on_tunnel(scenario)


def test_the_end_of_the_test_frees_who_is_held() -> None:
    gates: list[Gate] = []

    async def scenario(tunnel: Venue) -> None:
        gates.append(tunnel.gate())
        tunnel.server.expect("GET", "/").reply(Reply(hold=gates[0]))
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            await gates[0].arrived()

    on_tunnel(scenario)
    assert (gates[0].count, gates[0].waiting) == (1, 0)


def test_a_watcher_that_was_given_up_is_no_harm() -> None:
    async def scenario(tunnel: Venue) -> None:
        gate = tunnel.gate()
        tunnel.server.expect("GET", "/").reply(Reply(text="a", hold=gate))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gate.arrived(), 1)
        gate.release()
        assert await ask(tunnel) == b"a"
        await gate.arrived()

    on_tunnel(scenario)


def test_a_gate_that_nobody_opens_is_a_deadlock_with_its_name() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        gate = tunnel.gate("token")
        tunnel.server.on("GET", "/").reply(Reply(hold=gate))
        await ask(tunnel)

    with pytest.raises(DeadlockError, match=r"http://server\.test held at gate token"):
        Tunnel(strict=False).run(scenario)


def test_delays_and_throttle_take_virtual_time() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.expect("GET", "/").reply(
            Reply(body=bytes(50), delay=Delay(headers=3, body=30), throttle=10)
        )
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            await client.read_head()
            assert round(tunnel.clock.elapsed, 2) == 3
            await client.reader.readexactly(1)
            assert round(tunnel.clock.elapsed, 2) == 33.1
            await client.reader.readexactly(49)
            assert round(tunnel.clock.elapsed, 2) == 38

    tunnel = Tunnel()
    tunnel.run(scenario)
    replied = tunnel.journal[0].replied
    assert replied is not None
    assert round(replied, 2) == 3
