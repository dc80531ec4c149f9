"""What mock libraries give to the constructors of streams and of responses.

In aiohttp these are parts of the connection. Here nothing but the constructors asks for
them, and they do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType


class ResponseHandler:
    """The source of a ``StreamReader`` that is fed by hand.

    Args:
        loop: Not used.

    Compat: so much of aiohttp's ``client_proto.ResponseHandler`` as a stream needs.
    """

    __slots__ = ()

    def __init__(self, loop: Any = None) -> None:
        """Take the arguments that mock libraries give."""

    def pause_reading(self) -> None:
        """Do nothing: whoever feeds the stream decides."""

    def resume_reading(self) -> None:
        """Do nothing."""


class TimerNoop:
    """The timer of a response that nobody times.

    Compat: aiohttp's ``helpers.TimerNoop``.
    """

    __slots__ = ()

    def assert_timeout(self) -> None:
        """Do nothing: it is never over."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Let exceptions through."""
