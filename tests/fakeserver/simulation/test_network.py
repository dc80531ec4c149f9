"""Names, addresses, rules for connects, latency and segments."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, Any

import pytest

from windtunnel_fakeserver.simulation import (
    UnknownAddressError,
    UnknownHostError,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from windtunnel_fakeserver.simulation import SimSocket

HOST = "127.0.0.1"


async def look_up(
    name: str | bytes | None, port: Any = 80, **options: Any
) -> list[Any]:
    infos = await asyncio.get_running_loop().getaddrinfo(name, port, **options)
    return [info[4] for info in infos]


async def dial(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    await writer.wait_closed()


# -- names ---------------------------------------------------------------------------


def test_names_resolve_to_their_addresses_without_regard_to_case() -> None:
    async def main(world: World) -> None:
        world.network.dns.add("Api.Test.", ["10.0.0.1", "2001:db8::1"])
        assert await look_up("api.test") == [
            ("10.0.0.1", 80),
            ("2001:db8::1", 80, 0, 0),
        ]
        assert await look_up(b"API.TEST.", "443") == [
            ("10.0.0.1", 443),
            ("2001:db8::1", 443, 0, 0),
        ]
        v6 = await look_up("api.test", family=socket.AF_INET6)
        assert v6 == [("2001:db8::1", 80, 0, 0)]
        world.network.dns.add("bücher.test", ["10.0.0.2"])
        assert await look_up("xn--bcher-kva.test") == [("10.0.0.2", 80)]

    with World() as world:
        world.run(main, world)
        assert world.trace.events[0].text == "api.test"


def test_a_name_without_an_address_of_the_family_is_an_error() -> None:
    async def main(world: World) -> None:
        world.network.dns.add("four.test", ["10.0.0.1"])
        with pytest.raises(socket.gaierror, match="in this family"):
            await look_up("four.test", family=socket.AF_INET6)

    with World() as world:
        world.run(main, world)


def test_a_look_up_takes_its_virtual_time() -> None:
    async def main(world: World) -> None:
        world.network.dns.add("slow.test", ["10.0.0.1"], delay=2.5)
        world.network.dns.fail("gone.test", delay=1.0)
        world.network.dns.fail("busy.test", socket.EAI_AGAIN)
        world.network.dns.fail("odd.test", socket.EAI_MEMORY)
        world.network.dns.fail("own.test", OSError(5, "my own"))
        await look_up("slow.test")
        assert world.clock.elapsed == 2.5
        with pytest.raises(socket.gaierror, match="not known") as caught:
            await look_up("gone.test")
        assert caught.value.errno == socket.EAI_NONAME
        assert world.clock.elapsed == 3.5
        with pytest.raises(socket.gaierror, match="Temporary failure"):
            await look_up("busy.test")
        with pytest.raises(socket.gaierror, match="resolution failed"):
            await look_up("odd.test")
        with pytest.raises(OSError, match="my own"):
            await look_up("own.test")

    with World() as world:
        world.run(main, world)


def test_an_undeclared_name_is_refused_with_the_way_to_declare_it() -> None:
    async def main(world: World) -> None:
        with pytest.raises(UnknownHostError) as caught:
            await look_up("nobody.test")
        assert caught.value.host == "nobody.test"
        assert caught.value.errno == socket.EAI_NONAME
        assert 'tunnel.host("http://nobody.test")' in str(caught.value)

    with World() as world:
        world.run(main, world)


def test_declared_names_get_addresses_of_their_own() -> None:
    with World() as world:
        dns = world.network.dns
        assert dns.declare("a.test") == "198.18.0.1"
        assert dns.declare("b.test") == "198.18.0.2"
        assert dns.declare("A.test") == "198.18.0.1"
        assert dns.declare("10.1.2.3") == "10.1.2.3"
        assert dns.has_address("10.1.2.3")
        dns.fail("a.test")
        assert dns.declare("a.test") == "198.18.0.3"


def test_wrong_declarations_are_refused() -> None:
    with World() as world:
        dns = world.network.dns
        with pytest.raises(ValueError, match="no address"):
            dns.add("a.test", [])
        with pytest.raises(ValueError, match="does not appear to be"):
            dns.add("a.test", ["localhost"])
        with pytest.raises(ValueError, match="must not be negative"):
            dns.add("a.test", ["10.0.0.1"], delay=-1)
        with pytest.raises(ValueError, match="must not be negative"):
            dns.fail("a.test", delay=-1)


def test_literals_services_and_wildcards_need_no_name() -> None:
    async def main(world: World) -> None:
        assert await look_up("10.0.0.1", "https") == [("10.0.0.1", 443)]
        assert await look_up("localhost", b"81") == [(HOST, 81)]
        assert await look_up(None, None) == [(HOST, 0), ("::1", 0, 0, 0)]
        everywhere = await look_up("", 1, flags=socket.AI_PASSIVE)
        assert everywhere == [("0.0.0.0", 1), ("::", 1, 0, 0)]
        with pytest.raises(socket.gaierror, match="service 'gopher'"):
            await look_up("10.0.0.1", "gopher")
        loop = asyncio.get_running_loop()
        assert await loop.getnameinfo(("10.0.0.1", 80)) == ("10.0.0.1", "80")
        assert len(world.trace) == 1

    with World() as world:
        world.run(main, world)


# -- connects ------------------------------------------------------------------------


def test_an_address_outside_the_world_is_refused_with_the_way_to_declare_it() -> None:
    async def main(world: World) -> None:
        with pytest.raises(UnknownAddressError) as caught:
            await dial("93.184.215.14", 80)
        assert caught.value.address == ("93.184.215.14", 80)
        assert caught.value.errno == errno.ENETUNREACH
        assert "tunnel.host(" in str(caught.value)
        assert "network.listen('93.184.215.14', 80)" in str(caught.value)

    with World() as world:
        world.run(main, world)


def test_a_declared_address_without_a_listener_refuses_after_one_round_trip() -> None:
    async def main(world: World) -> None:
        with pytest.raises(ConnectionRefusedError, match="Connect call failed"):
            await dial(world.network.dns.declare("a.test"), 80)
        assert world.clock.elapsed == 0.5

    with World(latency=0.25) as world:
        world.run(main, world)


def test_rules_refuse_hang_and_make_unreachable() -> None:
    async def main(world: World) -> None:
        network = world.network
        address = network.dns.declare("a.test")
        listening = network.listen(address, 80)
        refused = network.refuse("a.test", 80, times=2)
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                await dial("a.test", 80)
        await dial("a.test", 80)
        assert refused.hits == 2
        unreachable = network.unreachable(address)
        with pytest.raises(OSError, match="Network is unreachable"):
            await dial("a.test", 80)
        unreachable.remove()
        hung = network.hang("10.9.9.9", 443)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(500):
                await dial("10.9.9.9", 443)
        assert hung.hits == 1
        with pytest.raises(UnknownAddressError):
            await dial("10.9.9.9", 80)
        with pytest.raises(UnknownHostError):
            network.refuse("nobody.test")
        listening.close()

    with World() as world:
        world.run(main, world)
        kinds = {event.kind for event in world.trace.events}
        assert {"refuse", "unreachable", "hang", "connect", "open"} <= kinds


def test_happy_eyeballs_goes_on_to_ipv4_when_ipv6_hangs() -> None:
    async def main(world: World) -> None:
        network = world.network
        network.dns.add("both.test", ["2001:db8::5", "10.0.0.5"])
        network.hang("2001:db8::5")
        listening = network.listen("10.0.0.5", 80)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(
            asyncio.Protocol, "both.test", 80, happy_eyeballs_delay=0.25
        )
        assert transport.get_extra_info("peername") == ("10.0.0.5", 80)
        assert world.clock.elapsed == pytest.approx(0.2502)
        transport.close()
        listening.close()
        await asyncio.sleep(1)
        assert world.leaks() == []

    with World() as world:
        world.run(main, world)


def test_ipv6_connections_have_names_of_their_family() -> None:
    async def main(world: World) -> None:
        listening: Any = world.network.listen("2001:db8::9", 80)
        server = await asyncio.get_running_loop().create_server(
            asyncio.Protocol, sock=listening
        )
        _, writer = await asyncio.open_connection("2001:db8::9", 80)
        assert writer.get_extra_info("peername") == ("2001:db8::9", 80, 0, 0)
        assert writer.get_extra_info("sockname") == ("2001:db8::1", 50000, 0, 0)
        writer.close()
        server.close()
        await asyncio.sleep(1)

    with World() as world:
        world.run(main, world)


def test_a_full_backlog_keeps_connects_waiting_until_there_is_room() -> None:
    async def main(world: World) -> None:
        loop: Any = asyncio.get_running_loop()
        listening = world.network.listen(HOST, 80, backlog=2)
        clients: list[SimSocket] = [world.network.socket() for _ in range(4)]
        connects = [
            asyncio.ensure_future(loop.sock_connect(client, (HOST, 80)))
            for client in clients
        ]
        await world.clock.advance(60)
        assert [connect.done() for connect in connects] == [True, True, False, False]
        accepted, _ = await loop.sock_accept(listening)
        await world.clock.advance(1)
        assert [connect.done() for connect in connects] == [True, True, True, False]
        listening.close()
        with pytest.raises(ConnectionRefusedError):
            await connects[3]
        for end in (accepted, *clients):
            end.close()

    with World() as world:
        world.run(main, world)


def test_a_listener_that_closes_during_the_handshake_resets() -> None:
    async def main(world: World) -> None:
        loop: Any = asyncio.get_running_loop()
        listening = world.network.listen(HOST, 80)
        client = world.network.socket()
        await loop.sock_connect(client, (HOST, 80))
        listening.close()
        with pytest.raises(ConnectionResetError):
            await loop.sock_recv(client, 1)
        client.close()

    with World() as world:
        world.run(main, world)


def test_listening_takes_literals_free_ports_and_each_address_once() -> None:
    with World() as world:
        network = world.network
        explicit = network.listen(HOST, 20_000)
        free = network.listen(HOST, 0)
        assert free.getsockname() == (HOST, 20_001)
        with pytest.raises(OSError, match="in use") as caught:
            network.listen(HOST, 20_000)
        assert caught.value.errno == errno.EADDRINUSE
        with pytest.raises(ValueError, match="does not appear to be"):
            network.listen("a.test", 80)
        with pytest.raises(ValueError, match="port 70000 is out of range"):
            network.listen(HOST, 70_000)
        assert world.leaks() == [
            "open socket: listening on 127.0.0.1:20000, 0 to accept",
            "open socket: listening on 127.0.0.1:20001, 0 to accept",
        ]
        explicit.close()
        free.close()
        assert world.leaks() == []


# -- the shape of traffic ------------------------------------------------------------


async def pieces_read(world: World, *writes: bytes) -> list[bytes]:
    loop: Any = asyncio.get_running_loop()
    listening = world.network.listen(HOST, 0)
    client = world.network.socket()
    await loop.sock_connect(client, listening.getsockname())
    server, _ = await loop.sock_accept(listening)
    for data in writes:
        server.send(data)
    server.close()
    listening.close()
    await world.clock.advance(10)
    pieces: list[bytes] = []
    while piece := await loop.sock_recv(client, 1000):
        pieces.append(piece)
    client.close()
    return pieces


def sizes_by_function(stream: Random, length: int) -> Iterable[int]:
    return [2, 0, 3]


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        pytest.param(None, [b"abcdef", b"gh"], id="whole"),
        pytest.param(4, [b"abcd", b"ef", b"gh"], id="largest-size"),
        pytest.param(sizes_by_function, [b"ab", b"cde", b"f", b"gh"], id="function"),
    ],
)
def test_segments_are_cut_as_asked_and_read_one_by_one(
    split: Any, expected: list[bytes]
) -> None:
    with World(split=split) as world:
        pieces = world.run(pieces_read, world, b"abcdef", b"", b"gh")
    assert pieces == expected


def test_coalescing_reads_like_a_kernel() -> None:
    with World(split=1) as world:
        world.network.coalesce = True
        assert world.run(pieces_read, world, b"abcdef", b"gh") == [b"abcdefgh"]


def half_a_second(stream: Random) -> float:
    return 0.5


@pytest.mark.parametrize(
    "latency", [0.5, (0.5, 0.5), half_a_second], ids=["constant", "range", "drawn"]
)
def test_latency_is_one_way(latency: Any) -> None:
    async def main(world: World) -> float:
        loop: Any = asyncio.get_running_loop()
        listening = world.network.listen(HOST, 80)
        client = world.network.socket()
        await loop.sock_connect(client, (HOST, 80))
        assert world.clock.elapsed == 1.0
        client.send(b"x")
        server, _ = await loop.sock_accept(listening)
        assert world.clock.elapsed == 1.5
        assert await loop.sock_recv(server, 1) == b"x"
        for end in (client, server, listening):
            end.close()
        return world.clock.elapsed

    with World(latency=latency) as world:
        assert world.run(main, world) == 1.5


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        pytest.param({"latency": -0.1}, "latency", id="negative"),
        pytest.param({"latency": (2.0, 1.0)}, "latency", id="reversed"),
        pytest.param({"split": 0}, "at least 1 byte", id="no-bytes"),
        pytest.param({"split": "often"}, "'often' is unknown", id="unknown-word"),
    ],
)
def test_impossible_shapes_are_refused(settings: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        World(**settings)


# -- the trace -----------------------------------------------------------------------


def test_the_trace_is_a_readable_timeline() -> None:
    with World() as world:
        world.run(pieces_read, world, b"abc")
        lines = world.trace.render().splitlines()
        assert lines[:3] == [
            "    0.000000        connect    127.0.0.1:20000",
            "    0.000200     0  open       127.0.0.1:20000",
            "    0.000300    0<  close",
        ]
        assert "    0.000400    0<  data      3 bytes" in lines
        assert world.trace.render(tail=2).splitlines() == [
            f"({len(lines) - 2} earlier events)",
            *lines[-2:],
        ]
        assert world.trace.render(tail=0) == f"({len(lines)} earlier events)"
        assert len(world.trace.digest()) == 16
