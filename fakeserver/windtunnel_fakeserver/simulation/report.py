"""Who waits where: the text under every error of a run that cannot go on.

In: tasks and the sockets of a network. Out: one line for each task with its chain of
awaits down to the innermost, one line for each connection and direction. It only reads.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from windtunnel_fakeserver.simulation.network import Network
    from windtunnel_fakeserver.simulation.socket import SimSocket
    from windtunnel_fakeserver.simulation.tcp import Endpoint

__all__ = ["await_chain", "connection_lines", "describe", "task_lines"]

_LONGEST_CHAIN = 40


def describe(tasks: Iterable[asyncio.Task[Any]], network: Network) -> str:
    """Render the table of tasks and the table of connections."""
    lines = ["tasks:", *(task_lines(tasks) or ["  none"])]
    lines += ["connections:", *(connection_lines(network) or ["  none"])]
    return "\n".join(lines)


def task_lines(tasks: Iterable[asyncio.Task[Any]]) -> list[str]:
    """One line for each task that is not done, oldest first."""
    waiting = sorted((task for task in tasks if not task.done()), key=hash)
    return [f"  {task.get_name()}: {await_chain(task)}" for task in waiting]


def await_chain(task: asyncio.Task[Any]) -> str:
    """Follow the awaits of a task: ``file:line function > ... > what it waits for``."""
    steps: list[str] = []
    current: Any = task.get_coro()
    while current is not None and len(steps) < _LONGEST_CHAIN:
        frame = _first(current, "cr_frame", "gi_frame", "ag_frame")
        if frame is None:
            # Not a coroutine: the future (or its iterator) at the end of the chain.
            # A future is awaited through an iterator of its own.
            name = type(current).__name__
            steps.append("Future" if name == "FutureIter" else name)
            break
        code = frame.f_code
        place = f"{os.path.basename(code.co_filename)}:{frame.f_lineno}"
        steps.append(f"{place} {code.co_name}")
        current = _first(current, "cr_await", "gi_yieldfrom", "ag_await")
    return " > ".join(steps)


def connection_lines(network: Network) -> list[str]:
    """One line for each listener and each open end of a connection."""
    lines: list[str] = []
    for open_socket in network.sockets.values():
        if open_socket.listener is not None:
            lines.append(_listener_line(open_socket))
        elif open_socket.endpoint is not None:
            lines.append(_endpoint_line(open_socket, open_socket.endpoint))
        elif open_socket.connecting:
            lines.append("  connecting")
    return lines


def _listener_line(listening: SimSocket) -> str:
    assert listening.listener is not None
    host, port = listening.listener.name
    return f"  listening on {host}:{port}, {len(listening.listener.queue)} to accept"


def _endpoint_line(end: SimSocket, endpoint: Endpoint) -> str:
    pipe = endpoint.inbound
    side = "client" if endpoint.outbound.direction == ">" else "server"
    flags = [
        word
        for word, is_set in (
            ("end of stream", endpoint.fin_received),
            ("reset", endpoint.was_reset),
            ("own end sent", endpoint.fin_sent),
            ("window full", endpoint.outbound.room <= 0),
        )
        if is_set
    ]
    state = f", {', '.join(flags)}" if flags else ""
    host, port = end.getsockname()[:2]
    return (
        f"  connection {pipe.number} {side} {host}:{port}: unread={pipe.unread} "
        f"in_flight={endpoint.outbound.in_flight}{state}"
    )


def _first(owner: Any, *names: str) -> Any:
    for name in names:
        value = getattr(owner, name, None)
        if value is not None:
            return value
    return None
