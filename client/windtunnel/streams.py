"""Names of ``aiohttp.streams``: how bodies are read."""

from __future__ import annotations

from windtunnel import (
    EMPTY_PAYLOAD,
    DataQueue,
    EofStream,
    FlowControlDataQueue,
    StreamReader,
)
from windtunnel._body.empty_stream import (
    EmptyStreamReader,
)
from windtunnel._body.stream import (
    AsyncStreamIterator,
    ChunkTupleAsyncStreamIterator,
)

__all__ = (
    "EMPTY_PAYLOAD",
    "AsyncStreamIterator",
    "ChunkTupleAsyncStreamIterator",
    "DataQueue",
    "EmptyStreamReader",
    "EofStream",
    "FlowControlDataQueue",
    "StreamReader",
)
