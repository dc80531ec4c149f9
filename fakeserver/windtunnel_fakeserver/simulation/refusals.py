"""What the simulated loop does not have: each call refuses and names the real mode.

In: calls of the event loop API. Out: ``NotSimulatedError``. Refusing at the call is the
kind answer: an ignored descriptor or signal would show up as a hang much later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVarTuple, Unpack

from windtunnel_fakeserver.simulation.compat import override
from windtunnel_fakeserver.simulation.cpython import StockLoop
from windtunnel_fakeserver.simulation.errors import NotSimulatedError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RefusingLoop"]

_Args = TypeVarTuple("_Args")


class RefusingLoop(StockLoop):
    """The stock loop without UDP, Unix sockets, pipes, processes and signals."""

    @override
    async def create_datagram_endpoint(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("UDP (create_datagram_endpoint)")

    @override
    async def sock_recvfrom(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("UDP (sock_recvfrom)")

    @override
    async def sock_recvfrom_into(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("UDP (sock_recvfrom_into)")

    @override
    async def sock_sendto(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("UDP (sock_sendto)")

    @override
    async def create_unix_connection(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("a Unix socket (create_unix_connection)")

    @override
    async def create_unix_server(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("a Unix socket (create_unix_server)")

    @override
    async def connect_read_pipe(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("a pipe (connect_read_pipe)")

    @override
    async def connect_write_pipe(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("a pipe (connect_write_pipe)")

    @override
    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("a subprocess (subprocess_exec)")

    @override
    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("a subprocess (subprocess_shell)")

    @override
    def add_signal_handler(
        self,
        sig: int,
        callback: Callable[[Unpack[_Args]], object],
        *args: *_Args,
    ) -> NoReturn:
        """Refuse."""
        raise NotSimulatedError("a signal handler (add_signal_handler)")

    @override
    def remove_signal_handler(self, sig: int) -> bool:
        """Say that there was none."""
        return False
