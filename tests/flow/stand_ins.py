"""Small stand-ins for the libraries of others that the quickstart page imports.

The page shows that a serializer and a reader of files can be brought along; which ones
does not matter. ``tests/libraries`` runs the same with the real ones.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class _File:
    """A file whose reads happen in a thread."""

    def __init__(self, file: IO[Any]) -> None:
        self._file = file

    async def read(self, size: int) -> bytes:
        return await asyncio.to_thread(self._file.read, size)


@asynccontextmanager
async def _open(name: str, mode: str) -> AsyncGenerator[_File]:
    with await asyncio.to_thread(Path(name).open, mode) as file:
        yield _File(file)


def _dumps(value: Any) -> str:
    """Write JSON as ujson does: without spaces, unlike the standard library."""
    return json.dumps(value, separators=(",", ":"))


aiofiles: Final = SimpleNamespace(open=_open)
ujson: Any = SimpleNamespace(dumps=_dumps)
