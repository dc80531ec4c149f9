"""Who watches the connections being made for the request that is under way.

The exchange sets it around getting a connection, the transport tells it what happens.
Most requests are not watched, and then nobody is asked.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol


class Watch(Protocol):
    """Hears of what happens."""

    async def emit(self, name: str, *values: Any) -> None:
        """Hear one thing, by the name of its signal without ``on_``."""
        ...


WATCH: ContextVar[Watch | None] = ContextVar("WATCH", default=None)
