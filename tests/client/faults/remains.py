"""What an operation left behind: one line for each thing, but for the network.

A connector and its tunnel come in. The network is judged by the tunnel itself.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.client.faults.steps import CLIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import windtunnel
    from windtunnel._base.typedefs import ProxyRoute
    from windtunnel_fakeserver import Tunnel


def remains(connector: windtunnel.BaseConnector, tunnel: Tunnel) -> list[str]:
    """List what is not as if nothing had ever been done, idle connections aside."""
    pool = connector.pool
    idle_ones = [each for queue in pool._idle.values() for each in queue]
    idle = len(idle_ones)
    # The proxy's own connection to the target is in the journal, too.
    idle_in_journal = idle + sum(_is_tunnelled(each.key.proxy) for each in idle_ones)
    found: dict[str, Any] = {
        "places in use": pool._in_use,
        "places in use by host": pool._in_use_by_key,
        "waiters": pool._waiters,
        "uploads": pool._uploads,
        "open connections that are not idle": len(tunnel.left_open) - idle_in_journal,
        "live connections that are not idle": len(pool._live) - idle,
        "timers": _timers(idle, is_closed=pool.is_closed),
        "tasks": list(_tasks()),
    }
    return [f"{what}: {left}" for what, left in found.items() if left]


def _is_tunnelled(proxy: ProxyRoute | None) -> bool:
    return proxy is not None and proxy.is_tunnel


def _timers(idle: int, *, is_closed: bool) -> list[str]:
    """Give the timers of the client, but those that an open connector may have.

    That is one for the pool, and one for each idle connection: a timer armed for a
    deadline that did not come is not cancelled, because the next request may use it.
    """
    loop: Any = asyncio.get_running_loop()
    names = [_name(each._callback) for each in loop._scheduled if not each.cancelled()]
    if not is_closed:
        for expected in ("Pool._tick", *["Channel._tick"] * idle):
            if expected in names:
                names.remove(expected)
    return [name for name in names if name]


def _name(callback: Any) -> str:
    """Name a function of the client; it is empty for all others."""
    function = getattr(callback, "__func__", callback)
    code = getattr(function, "__code__", None)
    if code is None or not code.co_filename.startswith(CLIENT):
        return ""
    return str(function.__qualname__)


def _tasks() -> Iterator[str]:
    """Give all tasks but the one that asks, and those of the servers."""
    for task in asyncio.all_tasks():
        is_server = task.get_name().startswith("server ")
        if task is not asyncio.current_task() and not is_server:
            yield repr(task)
