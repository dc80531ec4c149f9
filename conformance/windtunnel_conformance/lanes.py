"""Lets some work overlap, and some work have everything for itself.

Knows nothing of what the work is.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@final
class Lanes:
    """So many lanes; work takes one of them, or all.

    Args:
        count: Number of lanes, at least 1.
    """

    def __init__(self, count: int) -> None:
        self._count = max(count, 1)
        self._free = asyncio.Semaphore(self._count)
        # Who wants all lanes takes them one by one; nobody may get between.
        self._entrance = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def shared(self) -> AsyncGenerator[None]:
        """Work beside others."""
        async with self._entrance:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """Work when everybody else has finished, and before anybody else begins."""
        async with self._entrance, contextlib.AsyncExitStack() as lanes:
            for _ in range(self._count):
                await lanes.enter_async_context(self._free)
            yield
