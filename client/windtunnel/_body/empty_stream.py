"""The body of a response that has none: a stream that is always at its end."""

from __future__ import annotations

from windtunnel._base.compat import override
from windtunnel._base.typedefs import NO_CAUSE
from windtunnel._body.stand_ins import ResponseHandler
from windtunnel._body.stream import StreamReader

__all__ = ("EMPTY_PAYLOAD", "EmptyStreamReader")


class EmptyStreamReader(StreamReader):
    """A stream without data, which many may share: nothing can be put into it.

    Compat: in aiohttp a second ``readchunk`` gives (b"", True), so that ``iter_chunks``
    never ends; here every one gives (b"", False), the end.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(ResponseHandler(), 2**16)
        super().feed_eof()

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @override
    def feed_eof(self) -> None:
        """Do nothing; this is the end."""

    @override
    def feed_data(self, data: bytes, size: int = 0) -> None:
        """Throw the data away."""

    @override
    def unread_data(self, data: bytes) -> None:
        """Throw the data away."""

    @override
    def set_read_chunk_size(self, n: int) -> None:
        """Do nothing: no size is needed."""

    @override
    def begin_http_chunk_receiving(self) -> None:
        """Do nothing; no chunk comes."""

    @override
    def end_http_chunk_receiving(self) -> None:
        """Do nothing; no chunk came."""

    @override
    def _warn_of_loop(self) -> None:
        """Do nothing: many read it, each of them once."""

    @override
    def exception(self) -> None:
        """Return None: nothing can go wrong."""

    @override
    def set_exception(
        self, exc: BaseException, exc_cause: BaseException = NO_CAUSE
    ) -> None:
        """Do nothing, because others use this stream too."""


EMPTY_PAYLOAD = EmptyStreamReader()
