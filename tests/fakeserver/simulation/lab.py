"""The bench on which a parity scenario runs: the kernel's sockets or simulated ones.

In: one event loop, real or simulated. Out: pairs of protocols that write down every
callback. A scenario must not know which of the two it runs on.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from windtunnel_fakeserver.simulation import SimLoop
from windtunnel_fakeserver.simulation.compat import override

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from tests.fakeserver.simulation.certificates import Certificates

HOST = "127.0.0.1"
PATIENCE = 5.0  # seconds after which something that had to come is taken for lost
QUIET = 0.003  # seconds without any callback that count as quiet


class Recorder(asyncio.Protocol):
    """A protocol that writes down its callbacks; neighbouring data is merged."""

    def __init__(self, lab: Lab, *, keep_open: bool = False) -> None:
        self.lab = lab
        self.keep_open = keep_open
        self.events: list[str] = []
        self.received = bytearray()
        self.transport: asyncio.Transport
        self._news = asyncio.Event()
        self._run_length = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._note("made")

    @override
    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.events and self.events[-1].startswith("data "):
            self.events.pop()
            data = bytes(self._run_length + len(data))
        self._run_length = len(data)
        self._note(f"data {len(data)}")

    @override
    def eof_received(self) -> bool:
        self._note("eof")
        return self.keep_open

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._note(f"lost {error_text(exc)}")

    @override
    def pause_writing(self) -> None:
        self._note("pause")

    @override
    def resume_writing(self) -> None:
        self._note("resume")

    @property
    def is_connected(self) -> bool:
        return self.events[:1] == ["made"] and not self.events[-1].startswith("lost")

    async def saw(self, kind: str) -> None:
        """Wait until a callback of this kind came; give up after a while."""
        await self._until(lambda: any(e.split()[0] == kind for e in self.events))

    async def got(self, size: int) -> None:
        """Wait until so many bytes came; give up after a while."""
        await self._until(lambda: len(self.received) >= size)

    def reset(self) -> None:
        """Close with a RST."""
        linger(self.transport.get_extra_info("socket"))
        self.transport.abort()

    async def _until(self, is_true: Callable[[], bool]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not is_true():
                    self._news.clear()
                    await self._news.wait()

    def _note(self, event: str) -> None:
        self.lab.activity += 1
        self.events.append(event)
        self._news.set()


class Lab:
    """One bench: makes servers and connections, and puts everything away."""

    def __init__(self, certificates: Certificates) -> None:
        self.loop = asyncio.get_running_loop()
        self.certificates = certificates
        self.activity = 0
        self._servers: list[asyncio.Server] = []
        self._sockets: list[Any] = []
        self._recorders: list[Recorder] = []

    def recorder(self, *, keep_open: bool = False) -> Recorder:
        made = Recorder(self, keep_open=keep_open)
        self._recorders.append(made)
        return made

    def socket(self) -> Any:
        """A non-blocking TCP socket for the ``sock_*`` calls of the loop."""
        if isinstance(self.loop, SimLoop):
            made: Any = self.loop.world.network.socket()
        else:
            made = socket.socket()
            made.setblocking(False)
        self._sockets.append(made)
        return made

    def listening_socket(self) -> Any:
        made = self.socket()
        made.bind((HOST, 0))
        made.listen(10)
        return made

    async def serve(
        self, factory: Callable[[], asyncio.BaseProtocol], **options: Any
    ) -> int:
        """Serve on a free port and return it."""
        if "sock" not in options:
            options.setdefault("host", HOST)
            options.setdefault("port", 0)
        server = await self.loop.create_server(factory, **options)
        self._servers.append(server)
        return port_of(server)

    async def serve_streams(
        self,
        handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> int:
        server = await asyncio.start_server(handle, HOST, 0)
        self._servers.append(server)
        return port_of(server)

    async def pair(
        self, *, keep_open: bool = False, tls: bool = False
    ) -> tuple[Recorder, Recorder]:
        """Connect a client to a server, both recorded."""
        server = self.recorder(keep_open=keep_open)
        server_tls = self.certificates.server() if tls else None
        client_tls = self.certificates.client() if tls else None
        port = await self.serve(lambda: server, ssl=server_tls)
        client = await self.dial(port, keep_open=keep_open, tls=client_tls)
        await server.saw("made")
        return client, server

    async def dial(
        self,
        port: int,
        *,
        keep_open: bool = False,
        tls: ssl.SSLContext | None = None,
        **options: Any,
    ) -> Recorder:
        client = self.recorder(keep_open=keep_open)
        if tls is not None:
            options.setdefault("server_hostname", "server.test")
        await self.loop.create_connection(
            lambda: client, HOST, port, ssl=tls, **options
        )
        return client

    async def quiet(self) -> None:
        """Wait until no callback comes any more."""
        for _ in range(200):
            before = self.activity
            await asyncio.sleep(QUIET)
            if self.activity == before:
                return

    def close_server(self) -> None:
        self._servers[-1].close()

    async def aclose(self) -> None:
        for server in self._servers:
            server.close()
        for recorder in self._recorders:
            if recorder.is_connected:
                recorder.transport.abort()
        for made in self._sockets:
            made.close()
        await self.quiet()


def linger(sock: Any) -> None:
    """Make the close of a socket a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def error_text(exc: BaseException | None) -> str:
    """Name an error so that it compares: its type, and errno or SSL reason."""
    if exc is None:
        return "in order"
    reason = getattr(exc, "reason", None) or getattr(exc, "errno", None)
    return type(exc).__name__ if reason is None else f"{type(exc).__name__} {reason}"


async def outcome_of(awaitable: Awaitable[object]) -> object:
    """Await something; an error becomes its name."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await awaitable
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is compared
        return error_text(exc)


def outcome_of_call(call: Callable[..., object], *args: object) -> object:
    """Call something; an error becomes its name."""
    try:
        return call(*args)
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is compared
        return error_text(exc)
