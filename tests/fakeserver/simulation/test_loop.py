"""The loop: servers, refusals, private parts of CPython, wake-ups, garbage."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from windtunnel_fakeserver.simulation import NotSimulatedError, SimLoop, World
from windtunnel_fakeserver.simulation.cpython import check_private_api
from windtunnel_fakeserver.simulation.selector import SimSelector

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

HOST = "127.0.0.1"


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with World() as world:
        world.run(main)


# -- servers -------------------------------------------------------------------------


def test_a_server_listens_on_each_of_several_hosts_once() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        hosts = [HOST, "localhost", "127.0.0.2"]
        server = await loop.create_server(asyncio.Protocol, hosts, 80)
        names = [made.getsockname() for made in server.sockets]
        assert names == [(HOST, 80), ("127.0.0.2", 80)]
        for host in (HOST, "127.0.0.2"):
            _, writer = await asyncio.open_connection(host, 80)
            writer.close()
        server.close()
        await asyncio.sleep(1)

    run(main)


@pytest.mark.parametrize("host", [None, ""])
def test_a_server_without_a_host_listens_everywhere(host: str | None) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, host, 80)
        for name in (HOST, "127.8.8.8", "::1"):
            _, writer = await asyncio.open_connection(name, 80)
            writer.close()
        server.close()
        await asyncio.sleep(1)

    run(main)


def test_a_server_may_start_later() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            asyncio.Protocol, HOST, 80, start_serving=False
        )
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, 80)
        await server.start_serving()
        _, writer = await asyncio.open_connection(HOST, 80)
        writer.close()
        server.close()
        await asyncio.sleep(1)

    run(main)


def test_a_server_on_a_taken_address_leaves_nothing_behind() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        world: World = loop.world
        listening = world.network.listen(HOST, 80)
        with pytest.raises(OSError, match="in use"):
            await loop.create_server(asyncio.Protocol, ["127.0.0.2", HOST], 80)
        with pytest.raises(ValueError, match="can not be specified together"):
            await loop.create_server(asyncio.Protocol, HOST, 80, sock=listening)
        listening.close()
        assert world.leaks() == []

    run(main)


def test_an_accepted_connection_may_be_handed_to_a_protocol() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        listening = loop.world.network.listen(HOST, 80)
        reader, writer = await asyncio.open_connection(HOST, 80)
        made, _ = await loop.sock_accept(listening)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, made)
        transport.write(b"hello")
        transport.close()
        assert await reader.read() == b"hello"
        writer.close()
        listening.close()
        await asyncio.sleep(1)

    run(main)


def test_files_are_sent_by_the_fallback(tmp_path: Any) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        listening = loop.world.network.listen(HOST, 80)
        reader, writer = await asyncio.open_connection(HOST, 80)
        made, _ = await loop.sock_accept(listening)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, made)
        with path.open("rb") as file:
            sending = asyncio.ensure_future(loop.sendfile(transport, file))
            assert await reader.readexactly(100_000) == b"x" * 100_000
            assert await sending == 100_000
        transport.close()
        writer.close()
        listening.close()
        await asyncio.sleep(1)

    run(main)


# -- refusals ------------------------------------------------------------------------


def refused_calls(loop: Any) -> dict[str, Callable[[], Any]]:
    return {
        "create_datagram_endpoint": lambda: loop.create_datagram_endpoint(int),
        "sock_recvfrom": lambda: loop.sock_recvfrom(None, 1),
        "sock_recvfrom_into": lambda: loop.sock_recvfrom_into(None, bytearray(1)),
        "sock_sendto": lambda: loop.sock_sendto(None, b"", ("a", 1)),
        "create_unix_connection": lambda: loop.create_unix_connection(int, "a"),
        "create_unix_server": lambda: loop.create_unix_server(int, "a"),
        "connect_read_pipe": lambda: loop.connect_read_pipe(int, None),
        "connect_write_pipe": lambda: loop.connect_write_pipe(int, None),
        "subprocess_exec": lambda: loop.subprocess_exec(int, "true"),
        "subprocess_shell": lambda: loop.subprocess_shell(int, "true"),
    }


@pytest.mark.parametrize("name", list(refused_calls(None)))
def test_what_is_not_simulated_refuses_and_names_the_real_mode(name: str) -> None:
    async def main() -> None:
        with pytest.raises(NotSimulatedError, match="real mode") as caught:
            await refused_calls(asyncio.get_running_loop())[name]()
        assert name in str(caught.value)
        assert isinstance(caught.value, NotImplementedError)

    run(main)


def test_signals_and_foreign_descriptors_are_refused() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(NotSimulatedError, match="add_signal_handler"):
            loop.add_signal_handler(signal.SIGUSR1, int)
        assert loop.remove_signal_handler(signal.SIGUSR1) is False
        near, far = socket.socketpair()
        with near, far:
            with pytest.raises(NotSimulatedError, match="foreign descriptor"):
                loop.add_reader(near, int)
            with pytest.raises(NotSimulatedError, match="foreign descriptor"):
                loop.add_writer(near.fileno(), int)
            assert loop.remove_reader(near) is False

    run(main)


# -- the selector --------------------------------------------------------------------


def test_the_selector_answers_in_the_order_of_registration() -> None:
    with World() as world:
        network = world.network
        listening = [network.listen(HOST, port) for port in (80, 81, 82)]
        selector = SimSelector(network.sockets, network.readable)
        for made in reversed(listening):
            selector.register(made, 1, made)
        with pytest.raises(KeyError):
            selector.register(listening[0], 1)
        assert selector.ready() == []
        assert len(selector.get_map()) == 3
        assert list(selector.get_map()) == [made.fileno() for made in listening[::-1]]
        assert selector.get_map()[listening[0]].data is listening[0]
        assert selector.modify(listening[1], 3, "both").data == "both"
        assert selector.get_key(listening[1].fileno()).events == 3
        assert selector.ready() == []
        assert selector.unregister(listening[1]).data == "both"
        with pytest.raises(KeyError):
            selector.get_key(listening[1])
        selector.close()
        assert dict(selector.get_map()) == {}


def test_add_reader_works_on_simulated_sockets() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        network = loop.world.network
        listening = network.listen(HOST, 80)
        seen: list[str] = []
        loop.add_reader(listening, seen.append, "readable")
        client = network.socket()
        await loop.sock_connect(client, (HOST, 80))
        loop.add_writer(client, seen.append, "writable")
        loop.add_reader(client, seen.append, "never")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        loop.remove_writer(client)
        assert seen[0] == "writable"
        server, _ = listening.accept() if listening.readable else (None, None)
        await loop.world.clock.advance(0.00005)
        loop.remove_reader(listening)
        loop.remove_reader(client)
        assert server is None
        assert "never" not in seen
        client.close()
        listening.close()

    run(main)


# -- CPython's private parts ---------------------------------------------------------


def test_missing_private_parts_are_named_with_the_python_version() -> None:
    class Other:
        pass

    with World() as world:
        loop = world.new_loop()
        check_private_api(loop)
        with pytest.raises(NotSimulatedError) as caught:
            check_private_api(loop, Other)
        assert "which lacks _check_callback, _check_closed" in str(caught.value)
        with pytest.raises(NotSimulatedError, match=r"3\.\d+\.\d+.*_stopping"):
            check_private_api(Other())


# -- wake-ups and order --------------------------------------------------------------


def test_a_call_from_another_thread_wakes_the_loop() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        done = asyncio.Event()
        with loop.world.clock.hold():
            thread = threading.Thread(
                target=loop.call_soon_threadsafe, args=(done.set,)
            )
            thread.start()
            await done.wait()
            thread.join()
        assert loop.time() == 1000.0

    run(main)


def test_a_loop_can_be_stopped_and_closed_by_hand() -> None:
    with World() as world:
        loop = world.new_loop()
        assert isinstance(loop, SimLoop)
        loop.call_later(3, loop.stop)
        loop.run_forever()
        assert world.clock.elapsed == 3.0
        loop.close()
        loop.close()
        with pytest.raises(RuntimeError, match="closed"):
            loop.call_at(1.0, int)


def test_a_task_factory_of_the_user_is_respected() -> None:
    class OwnTask(asyncio.Task[Any]):
        pass

    async def nothing() -> None:
        pass

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def factory(loop: Any, coro: Any, **options: Any) -> OwnTask:
            return OwnTask(coro, loop=loop, **options)

        loop.set_task_factory(factory)
        task = loop.create_task(nothing())
        assert type(task) is OwnTask
        await task

    run(main)


def test_tasks_are_named_in_order_and_compare_by_identity() -> None:
    async def nothing() -> None:
        pass

    async def main() -> None:
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(nothing()) for _ in range(2)]
        assert [task.get_name() for task in tasks] == ["Task-2", "Task-3"]
        assert loop.create_task(nothing(), name="own").get_name() == "own"
        assert tasks[0] == tasks[0]
        assert tasks[0] != tasks[1]
        futures = [loop.create_future() for _ in range(2)]
        assert futures[0] != futures[1]

    run(main)


# -- garbage -------------------------------------------------------------------------


def test_garbage_is_collected_only_at_known_moments() -> None:
    class Node:
        def __init__(self) -> None:
            self.self = self

        def __del__(self) -> None:
            collected.append(len(collected))

    collected: list[int] = []

    async def main() -> None:
        assert not gc.isenabled()
        for _ in range(100):
            Node()
        assert collected == []
        # Much garbage is collected when time moves.
        keep = [[] for _ in range(60_000)]  # type: ignore[var-annotated]  # objects, whatever they are
        await asyncio.sleep(1)
        assert len(collected) == 100
        Node()
        del keep

    assert gc.isenabled()
    run(main)
    assert len(collected) == 101
    assert gc.isenabled()


def test_a_process_without_collection_stays_so() -> None:
    async def main() -> None:
        await asyncio.sleep(1)

    gc.disable()
    try:
        run(main)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_environment_has_descriptors_to_count() -> None:
    assert os.path.isdir("/proc/self/fd")
