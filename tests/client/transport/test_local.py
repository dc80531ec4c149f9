"""Unix sockets, for which the simulated network has no place, and named pipes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import windtunnel
from tests.client.support import answering
from windtunnel.errors import UnixClientConnectorError
from windtunnel_fakeserver import Tunnel

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_requests_go_to_the_socket_whatever_the_host(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert await reader.read() == b""
        writer.close()
        done.set()

    async def program() -> None:
        server = await asyncio.start_unix_server(serve, path)
        connector = windtunnel.UnixConnector(path, limit=7)
        assert connector.path == path
        assert connector.limit == 7
        assert "unix" in connector.allowed_protocol_schema_set
        async with windtunnel.ClientSession(connector=connector) as session:
            for host in ("a.test", "a.test"):
                async with session.get(f"http://{host}/x") as response:
                    assert await response.text() == "ok"
        assert connector.closed
        await done.wait()
        server.close()

    done = asyncio.Event()
    asyncio.run(program())
    assert [head.split(b"\r\n")[:2] for head in heads] == [
        [b"GET /x HTTP/1.1", b"Host: a.test"]
    ] * 2


def test_a_socket_that_is_not_there_is_an_error_with_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "nothing")

    async def program() -> None:
        connector = windtunnel.UnixConnector(path)
        async with windtunnel.ClientSession(connector=connector) as session:
            with pytest.raises(UnixClientConnectorError, match="nothing") as caught:
                await session.get("http://a.test/")
            assert caught.value.path == path
            assert isinstance(caught.value.os_error, FileNotFoundError)

    asyncio.run(program())


def test_named_pipes_need_another_event_loop() -> None:
    async def main(tunnel: Tunnel) -> None:
        with pytest.raises(RuntimeError, match="only available in proactor loop"):
            windtunnel.NamedPipeConnector(r"\\.\pipe\x")

    Tunnel().run(main)


def test_each_kind_of_connector_has_a_scheme_of_its_own() -> None:
    async def main(tunnel: Tunnel) -> None:
        tunnel.host("http://a.test:81").on_connect(answering(OK))
        async with windtunnel.ClientSession() as session:
            async with session.get("tcp://a.test:81/") as response:
                assert await response.text() == "ok"
            with pytest.raises(windtunnel.NonHttpUrlClientError):
                await session.get("unix://a.test/")

    Tunnel().run(main)


class PipeLoop(asyncio.SelectorEventLoop):
    """A loop that has named pipes, which are Unix sockets."""

    async def create_pipe_connection(
        self, make: Callable[[], asyncio.BaseProtocol], path: str
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        return await self.create_unix_connection(make, path)


def test_a_named_pipe_is_asked_of_a_loop_that_has_them(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    async def program() -> None:
        server = await asyncio.start_unix_server(serve, path)
        connector = windtunnel.NamedPipeConnector(path)
        async with (
            server,
            windtunnel.ClientSession(connector=connector) as session,
            session.get("npipe://a.test/") as response,
        ):
            assert await response.text() == "ok"

    with asyncio.Runner(loop_factory=PipeLoop) as runner:
        runner.run(program())
