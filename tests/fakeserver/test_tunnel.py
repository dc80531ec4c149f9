"""The tunnel: running, entering, declaring, ending."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.fakeserver.venues import connect
from windtunnel_fakeserver import Reply, Stall, Tunnel, VerificationError, Wire
from windtunnel_fakeserver.simulation import DeadlockError, UnknownHostError

GET = b"GET / HTTP/1.1\r\n\r\n"


def test_run_calls_an_async_function_with_the_tunnel_and_returns_its_result() -> None:
    async def main(tunnel: Tunnel) -> str:
        await asyncio.sleep(300)
        return f"{tunnel.clock.elapsed:g}"

    assert Tunnel().run(main) == "300"


def test_run_awaits_a_coroutine() -> None:
    async def main() -> int:
        return 7

    assert Tunnel().run(main()) == 7


def test_hosts_can_be_declared_before_and_while_the_loop_runs() -> None:
    tunnel = Tunnel()
    early = tunnel.host("http://early.test")
    early.expect("GET", "/")

    async def main(_: Tunnel) -> None:
        late = tunnel.host("http://late.test")
        late.expect("GET", "/")
        async with aiohttp.ClientSession() as session:
            for host in (early, late):
                async with session.get(host.url()) as response:
                    assert response.status == 200

    tunnel.run(main)


def test_addresses_can_be_chosen() -> None:
    async def main(tunnel: Tunnel) -> None:
        addresses = ["198.51.100.7", "2001:db8::7"]
        host = tunnel.host("http://multi.test", addresses=addresses)
        host.expect("GET", "/", times=2)
        for address in addresses:
            reader, writer = await asyncio.open_connection(address, 80)
            writer.write(GET)
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo("multi.test", 80, type=1)
        assert sorted(str(info[4][0]) for info in found) == addresses

    Tunnel().run(main)


def test_port_0_takes_a_free_port() -> None:
    async def main(tunnel: Tunnel) -> None:
        host = tunnel.host("http://free.test:0")
        assert host.host.port > 0
        host.expect("GET", "/")
        async with (
            aiohttp.ClientSession() as session,
            session.get(host.url()) as response,
        ):
            assert response.status == 200

    Tunnel().run(main)


def test_an_unknown_host_is_refused_with_advice() -> None:
    async def main(_: Tunnel) -> None:
        with pytest.raises(UnknownHostError, match=r"host\("):
            await asyncio.open_connection("nowhere.test", 80)

    Tunnel().run(main)


def test_the_parts_are_those_of_the_world() -> None:
    tunnel = Tunnel(3, latency=0.5, start=50.0)
    assert tunnel.seed == 3
    assert tunnel.clock is tunnel.world.clock
    assert tunnel.network is tunnel.world.network
    assert tunnel.trace is tunnel.world.trace
    assert tunnel.clock.time() == 50.0
    assert tunnel.server is tunnel.server
    tunnel.world.close()


def test_the_tunnel_can_be_entered_inside_its_own_loop() -> None:
    tunnel = Tunnel()
    tunnel.server.expect("GET", "/")

    async def main() -> None:
        async with tunnel, connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            await client.read_reply()

    with asyncio.Runner(loop_factory=tunnel.loop_factory) as runner:
        runner.run(main())
    tunnel.world.close()


def test_leaving_the_tunnel_verifies() -> None:
    tunnel = Tunnel()
    tunnel.server.expect("GET", "/")

    async def main() -> None:
        async with tunnel:
            pass

    with (
        asyncio.Runner(loop_factory=tunnel.loop_factory) as runner,
        pytest.raises(VerificationError, match="1 expectation was not met"),
    ):
        runner.run(main())
    tunnel.world.close()


def test_entering_on_a_foreign_loop_is_refused_with_advice() -> None:
    async def main() -> None:
        async with Tunnel():
            pass

    with pytest.raises(RuntimeError, match=r"use Tunnel\(\.\.\.\)\.run\(main\)"):
        asyncio.run(main())


def test_a_failure_of_the_test_stays_first_and_gets_the_story_as_a_note() -> None:
    async def main(tunnel: Tunnel) -> None:
        tunnel.server.expect("GET", "/")
        msg = "the test's own"
        raise LookupError(msg)

    with pytest.raises(LookupError, match="the test's own") as caught:
        Tunnel().run(main)
    [note] = caught.value.__notes__
    assert "1 expectation was not met" in note


def test_a_test_that_verifies_by_itself_is_told_once() -> None:
    async def main(tunnel: Tunnel) -> None:
        tunnel.server.expect("GET", "/")
        tunnel.verify()

    with pytest.raises(VerificationError) as caught:
        Tunnel().run(main)
    assert not hasattr(caught.value, "__notes__")


def test_a_tunnel_that_is_not_strict_leaves_verifying_to_the_test() -> None:
    async def main(tunnel: Tunnel) -> None:
        tunnel.server.expect("GET", "/")

    tunnel = Tunnel(strict=False)
    tunnel.run(main)
    with pytest.raises(VerificationError):
        tunnel.verify()


def test_a_deadlock_names_the_script_its_step_and_its_place() -> None:
    async def slow_peer(wire: Wire) -> None:
        await wire.read_request()
        await wire.stall()

    async def main(tunnel: Tunnel) -> None:
        host = tunnel.host("http://a.test")
        host.on_connect(slow_peer)
        async with connect(tunnel, host) as client:
            await client.send(GET)
            await client.reader.read()

    with pytest.raises(DeadlockError) as caught:
        Tunnel().run(main)
    text = str(caught.value)
    assert "server connection 0 http://a.test script slow_peer step stall: " in text
    assert "test_tunnel.py:" in text
    assert "main main: " in text


def test_no_host_can_be_declared_after_the_end() -> None:
    async def main(_: Tunnel) -> None:
        return None

    tunnel = Tunnel()
    tunnel.run(main)
    with pytest.raises(RuntimeError, match="after the end of the Tunnel"):
        tunnel.host("http://late.test")


def test_ending_twice_is_ending_once() -> None:
    async def main(tunnel: Tunnel) -> None:
        await tunnel.aclose()
        await tunnel.aclose()

    Tunnel().run(main)


def test_a_script_that_ignores_its_cancellation_is_named() -> None:
    async def stubborn(wire: Wire) -> None:
        while wire.connection == 0:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                await asyncio.sleep(8)
                return

    async def main(tunnel: Tunnel) -> None:
        tunnel.server.on_connect(stubborn)
        async with connect(tunnel, tunnel.server):
            await asyncio.sleep(0.5)

    with pytest.raises(VerificationError, match="did not end when it was cancelled"):
        Tunnel().run(main)


def test_equal_seeds_give_equal_traces() -> None:
    def digest(seed: int) -> str:
        async def main(tunnel: Tunnel) -> None:
            tunnel.server.on("GET", "/").reply(Reply(text="x" * 3000))
            async with aiohttp.ClientSession() as session:
                for _ in range(3):
                    async with session.get(tunnel.server.url()) as response:
                        await response.read()

        tunnel = Tunnel(seed, latency=(0.001, 0.1), split="random")
        tunnel.run(main)
        return tunnel.trace.digest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_an_end_that_stands_behind_unread_data_is_no_leak() -> None:
    async def main(tunnel: Tunnel) -> None:
        tunnel.server.on_connect(Stall(at="connect"))
        _reader, writer = await asyncio.open_connection("server.test", 80)
        writer.write(bytes(1_000_000))
        await asyncio.sleep(1)
        (record,) = tunnel.journal.connections
        assert tunnel.left_open == [record]
        writer.transport.abort()
        await asyncio.sleep(1)
        assert record.client_open
        assert tunnel.left_open == []

    Tunnel().run(main)
