"""The socket object, its shadow descriptor, and stand-ins for the kernel's sockets."""

from __future__ import annotations

import asyncio
import gc
import select
import socket
from typing import TYPE_CHECKING, Any

import pytest

from windtunnel_fakeserver.simulation import NotSimulatedError, World
from windtunnel_fakeserver.simulation.shadow import EventShadow, PairShadow

if TYPE_CHECKING:
    from windtunnel_fakeserver.simulation.shadow import Shadow

HOST = "127.0.0.1"


def is_lit(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return poll.poll(0) == [(descriptor, select.POLLIN)]


async def pair(world: World) -> tuple[Any, Any]:
    loop: Any = asyncio.get_running_loop()
    listening = world.network.listen(HOST, 0)
    client = world.network.socket()
    await loop.sock_connect(client, listening.getsockname())
    server, _ = await loop.sock_accept(listening)
    listening.close()
    return client, server


# -- the shadow descriptor -----------------------------------------------------------


@pytest.mark.parametrize("kind", [EventShadow, PairShadow])
def test_a_shadow_is_readable_exactly_while_it_is_lit(kind: type[Shadow]) -> None:
    shadow = kind()
    try:
        for _ in range(3):
            assert not is_lit(shadow.number)
            shadow.light()
            assert is_lit(shadow.number)
            shadow.dim()
        assert not is_lit(shadow.number)
    finally:
        shadow.close()


def test_the_descriptor_is_lit_exactly_while_the_socket_is_readable() -> None:
    async def main(world: World) -> None:
        client, server = await pair(world)
        number = client.fileno()
        assert not is_lit(number)
        server.send(b"ab")
        assert not is_lit(number)
        await world.clock.advance(1)
        assert is_lit(number)
        client.recv(1)
        assert is_lit(number)
        client.recv(1)
        assert not is_lit(number)
        server.close()
        await world.clock.advance(1)
        assert is_lit(number)
        client.close()
        assert client.fileno() == -1

    with World() as world:
        world.run(main, world)


def test_a_listening_descriptor_is_lit_while_somebody_waits() -> None:
    async def main(world: World) -> None:
        loop: Any = asyncio.get_running_loop()
        listening = world.network.listen(HOST, 80)
        assert not is_lit(listening.fileno())
        client = world.network.socket()
        await loop.sock_connect(client, (HOST, 80))
        await world.clock.advance(1)
        assert is_lit(listening.fileno())
        server, address = listening.accept()
        assert not is_lit(listening.fileno())
        assert address == client.getsockname()
        with pytest.raises(BlockingIOError):
            listening.accept()
        for end in (listening, client, server):
            end.close()

    with World() as world:
        world.run(main, world)


# -- the socket object ---------------------------------------------------------------


def test_a_socket_shows_what_it_is() -> None:
    async def main(world: World) -> None:
        client, server = await pair(world)
        assert repr(client).startswith("<SimSocket connection 0> name=127.0.0.1:50000")
        server.close()
        assert repr(server).startswith("<SimSocket closed")
        with world.network.socket() as idle:
            assert repr(idle) == "<SimSocket idle name=0.0.0.0:0 peer=None>"
        assert idle.fileno() == -1
        with world.network.listen(HOST, 80) as listening:
            assert repr(listening).startswith("<SimSocket listening name=127.0.0.1:80")
        client.close()

    with World() as world:
        world.run(main, world)


def test_a_socket_is_never_blocking() -> None:
    with World() as world, world.network.socket() as made:
        made.setblocking(False)
        made.settimeout(0)
        assert made.gettimeout() == 0.0
        assert made.getblocking() is False
        for call in (
            lambda: made.setblocking(True),
            lambda: made.settimeout(None),
            lambda: made.settimeout(5),
            made.detach,
            made.dup,
        ):
            with pytest.raises(NotSimulatedError, match="real mode"):
                call()


def test_options_are_remembered() -> None:
    with World() as world, world.network.socket() as made:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM


def test_a_second_connect_in_progress_is_refused() -> None:
    async def main(world: World) -> None:
        loop: Any = asyncio.get_running_loop()
        world.network.hang("10.0.0.1")
        client = world.network.socket()
        attempt = asyncio.ensure_future(loop.sock_connect(client, ("10.0.0.1", 80)))
        await asyncio.sleep(1)
        with pytest.raises(OSError, match="already in progress"):
            client.connect(("10.0.0.1", 80))
        assert "open socket: connecting" in world.leaks()
        attempt.cancel()
        client.close()

    with World() as world:
        world.run(main, world)


def test_a_connect_whose_socket_closes_on_the_way_opens_nothing() -> None:
    async def main(world: World) -> None:
        listening = world.network.listen(HOST, 80)
        for wait in (0.0, 0.15):
            client = world.network.socket()
            with pytest.raises(BlockingIOError):
                client.connect((HOST, 80))
            await world.clock.advance(wait)
            client.close()
        await world.clock.advance(10)
        with pytest.raises(BlockingIOError):
            listening.accept()
        listening.close()

    with World(latency=0.1) as world:
        world.run(main, world)
        assert all(event.kind != "open" for event in world.trace.events)


def test_pieces_are_sent_together_up_to_the_window() -> None:
    async def main(world: World) -> None:
        world.network.window = 10
        client, server = await pair(world)
        assert client.sendmsg([]) == 0
        assert client.sendmsg([b"abc", memoryview(b"defg")]) == 7
        assert client.sendmsg([b"hijklmnop", b"never looked at"]) == 3
        with pytest.raises(BlockingIOError):
            client.sendmsg([b"x"])
        await world.clock.advance(1)
        assert server.recv(100) == b"abcdefg"
        assert server.recv(100) == b"hij"
        buffer = bytearray(5)
        client.send(b"12345678")
        await world.clock.advance(1)
        assert server.recv_into(buffer) == 5
        assert server.recv_into(buffer, 2) == 2
        assert buffer == b"67345"
        client.close()
        server.close()

    with World() as world:
        world.run(main, world)


def test_a_lost_socket_complains_and_gives_its_descriptor_back() -> None:
    with World() as world:
        made = world.network.socket()
        del world.network.sockets[made.fileno()]
        # Only the network keeps sockets; without it this one is lost.
        world.network.sockets[made.fileno()] = made
        world.network.sockets.clear()
        world.network.sockets = {made.fileno(): made}
        number = made.fileno()
        with pytest.warns(ResourceWarning, match="unclosed <SimSocket idle"):
            made.__del__()
        assert number not in world.network.sockets


# -- stand-ins for the kernel's sockets ----------------------------------------------


def kernel_socket() -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    return made


def test_sockets_of_the_kernel_are_acted_for_from_connect_to_close() -> None:
    async def main(world: World) -> None:
        loop = asyncio.get_running_loop()
        listening: Any = world.network.listen(HOST, 80)
        server = await loop.create_server(asyncio.Protocol, sock=listening)
        made = kernel_socket()
        await loop.sock_connect(made, (HOST, 80))
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=made)
        assert transport.get_extra_info("peername") == (HOST, 80)
        transport.close()
        await asyncio.sleep(1)
        assert made.fileno() == -1
        server.close()
        await asyncio.sleep(1)
        assert world.leaks() == []

    with World() as world:
        world.run(main, world)


def test_sock_calls_work_on_sockets_of_the_kernel() -> None:
    async def main(world: World) -> None:
        loop = asyncio.get_running_loop()
        listening = kernel_socket()
        listening.bind((HOST, 0))
        listening.listen()
        accepting = asyncio.ensure_future(loop.sock_accept(listening))
        made = kernel_socket()
        await loop.sock_connect(made, listening.getsockname())
        server, _ = await accepting
        await loop.sock_sendall(made, b"hello")
        assert await loop.sock_recv(server, 10) == b"hello"
        # Closing the kernel's socket closes its stand-in.
        made.close()
        assert await loop.sock_recv(server, 10) == b""
        server.close()
        listening.close()
        await asyncio.sleep(1)
        assert world.leaks() == []

    with World() as world:
        world.run(main, world)


def test_a_lost_socket_of_the_kernel_loses_its_stand_in() -> None:
    async def main(world: World) -> None:
        loop = asyncio.get_running_loop()
        world.network.listen(HOST, 80)
        made = kernel_socket()
        await loop.sock_connect(made, (HOST, 80))
        sockets = [made]
        del made
        with pytest.warns(ResourceWarning, match="unclosed <socket"):
            sockets.clear()
        gc.collect()
        await asyncio.sleep(1)
        assert sum("client" in leak for leak in world.leaks()) == 0

    with World() as world:
        world.run(main, world)


def test_a_failed_connect_closes_the_stand_in() -> None:
    async def main(world: World) -> None:
        loop = asyncio.get_running_loop()
        made = kernel_socket()
        with pytest.raises(ConnectionRefusedError):
            await loop.sock_connect(made, (HOST, 9))
        assert world.leaks() == []
        made.close()

    with World() as world:
        world.run(main, world)


def test_linger_set_before_connect_is_kept() -> None:
    async def main(world: World) -> None:
        loop = asyncio.get_running_loop()
        listening: Any = world.network.listen(HOST, 80)
        made = kernel_socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1] + [0] * 7))
        await loop.sock_connect(made, (HOST, 80))
        server, _ = await loop.sock_accept(listening)
        made.close()
        with pytest.raises(ConnectionResetError):
            await loop.sock_recv(server, 1)
        server.close()
        listening.close()

    with World() as world:
        world.run(main, world)


def test_sockets_that_cannot_be_acted_for_are_refused() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        with near, far, pytest.raises(NotSimulatedError, match="AF_UNIX"):
            await loop.sock_connect(near, "name")
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.setblocking(False)
            with pytest.raises(NotSimulatedError, match="SOCK_DGRAM"):
                await loop.sock_recv(udp, 1)
        with kernel_socket() as listening, socket.socket() as made:
            listening.bind((HOST, 0))
            listening.listen()
            made.connect(listening.getsockname())
            with pytest.raises(NotSimulatedError, match="connected for real"):
                await loop.sock_recv(made, 1)
        stranger: Any = object()
        with pytest.raises(NotSimulatedError, match="the socket object object"):
            await loop.sock_recv(stranger, 1)

    with World() as world:
        world.run(main)
