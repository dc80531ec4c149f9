"""Streams of multipart bodies, and what is read from them."""

from __future__ import annotations

import asyncio
from typing import Any

from windtunnel._body.stream import StreamReader

MIXED = {"Content-Type": "multipart/mixed; boundary=B"}


FORM = {"Content-Type": 'multipart/form-data; boundary="B"'}


class Source:
    def pause_reading(self) -> None:
        """Nothing."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Nothing."""

    _reading_paused = False


def stream_of(pieces: list[bytes], cls: Any = StreamReader) -> Any:
    stream = cls(Source(), 2**16, loop=asyncio.get_running_loop())
    for piece in pieces:
        stream.feed_data(piece)
    stream.feed_eof()
    return stream


async def contents(reader: Any) -> list[Any]:
    """Headers, names and data of all parts, nested ones as lists."""
    out: list[Any] = []
    while (part := await reader.next()) is not None:
        if hasattr(part, "fetch_next_part"):
            out.append(await contents(part))
        else:
            data = bytes(await part.read(decode=True))
            out.append((dict(part.headers), part.name, part.filename, data))
    assert reader.at_eof()
    assert await reader.next() is None
    return out
