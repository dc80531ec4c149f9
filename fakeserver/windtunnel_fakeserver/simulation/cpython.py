"""The private parts of CPython's event loop that the simulation stands on.

In: the stock loop class. Out: the same class with types for what typeshed leaves out,
and a check that everything is there, with an error that names the Python version. This
is the one place to look when a new CPython release comes.
"""

from __future__ import annotations

import asyncio.selector_events
import platform
from typing import TYPE_CHECKING, Any

from windtunnel_fakeserver.simulation.errors import NotSimulatedError

if TYPE_CHECKING:
    import selectors
    from collections import deque
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    class StockLoop(asyncio.selector_events.BaseSelectorEventLoop):
        """The stock selector loop, with its private parts."""

        _ready: deque[asyncio.Handle]
        _scheduled: list[asyncio.TimerHandle]
        _stopping: bool
        _debug: bool
        _clock_resolution: float
        _selector: selectors.BaseSelector | None
        _default_executor: ThreadPoolExecutor | None
        _executor_shutdown_called: bool
        _task_factory: Callable[..., Any] | None
        _ssock: Any
        _csock: Any

        def _check_closed(self) -> None: ...
        def _check_thread(self) -> None: ...
        def _check_callback(self, callback: object, method: str) -> None: ...
        def _make_self_pipe(self) -> None: ...
        def _close_self_pipe(self) -> None: ...
        def _write_to_self(self) -> None: ...
        async def _connect_sock(
            self,
            exceptions: list[list[OSError]],
            addr_info: tuple[Any, ...],
            local_addr_infos: list[tuple[Any, ...]] | None = None,
        ) -> Any: ...
        def _make_socket_transport(
            self, sock: Any, protocol: Any, waiter: Any = None, **kwargs: Any
        ) -> asyncio.Transport: ...
        def _make_ssl_transport(
            self,
            rawsock: Any,
            protocol: Any,
            sslcontext: Any,
            waiter: Any = None,
            **kwargs: Any,
        ) -> asyncio.Transport: ...

    class StockTimer(asyncio.TimerHandle):
        """The stock timer, with its private parts."""

        _scheduled: bool
        _when: float

else:
    StockLoop = asyncio.selector_events.BaseSelectorEventLoop
    StockTimer = asyncio.TimerHandle

__all__ = [
    "StockLoop",
    "StockTimer",
    "add_sockets",
    "check_private_api",
    "running_loop",
]

# The public form raises when no loop runs; this one is asked on every time.time().
running_loop = asyncio._get_running_loop  # pyright: ignore[reportPrivateUsage]

_METHODS = (
    "_check_callback",
    "_check_closed",
    "_check_thread",
    "_close_self_pipe",
    "_connect_sock",
    "_make_self_pipe",
    "_make_socket_transport",
    "_make_ssl_transport",
    "_run_once",
    "_write_to_self",
)
_ATTRIBUTES = (
    "_clock_resolution",
    "_debug",
    "_default_executor",
    "_executor_shutdown_called",
    "_ready",
    "_scheduled",
    "_selector",
    "_stopping",
    "_task_factory",
)


def check_private_api(loop: object, stock: type = StockLoop) -> None:
    """Check that CPython's loop has the private parts that are overridden or read.

    Args:
        loop: A freshly made loop, whose attributes are checked.
        stock: The class that CPython ships, whose methods are checked.

    Raises:
        NotSimulatedError: Some are missing; the text names them and the version.
    """
    missing = [name for name in _METHODS if not hasattr(stock, name)]
    missing += [name for name in _ATTRIBUTES if not hasattr(loop, name)]
    if missing:
        raise NotSimulatedError(
            f"the event loop of {platform.python_implementation()} "
            f"{platform.python_version()}, which lacks {', '.join(missing)},"
        )


def add_sockets(server: asyncio.Server, sockets: list[Any]) -> None:
    """Let a server that does not serve yet serve more listening sockets."""
    # The public property is a copy, and typeshed does not have the list itself.
    getattr(server, "_sockets").extend(sockets)  # noqa: B009
