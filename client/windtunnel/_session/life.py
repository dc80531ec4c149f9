"""The life of a session: its loop, its connector, and what is said if it is forgotten.

It knows nothing about requests.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

if TYPE_CHECKING:
    from types import TracebackType

    from windtunnel._transport.connector import BaseConnector

# When Python's development mode is on, or asyncio's debug mode by the environment.
IS_DEVELOPING = sys.flags.dev_mode or (
    not sys.flags.ignore_environment and bool(os.environ.get("PYTHONASYNCIODEBUG"))
)


class Life:
    """The part of a session that opens and closes.

    Args:
        loop: The event loop it belongs to.

    Attributes:
        ATTRS: Names of the attributes that a session has by itself.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_connector",
        "_connector_owner",
        "_loop",
        "_source_traceback",
    )

    ATTRS: ClassVar[frozenset[str]] = frozenset(__slots__)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._connector: BaseConnector | None = None
        self._connector_owner = True
        self._loop = loop
        self._source_traceback: traceback.StackSummary | None = None
        if loop.get_debug():
            # Without this frame and that of the subclass's constructor.
            self._source_traceback = traceback.StackSummary.from_list(
                traceback.extract_stack()[:-2]
            )

    @property
    def closed(self) -> bool:
        """Whether requests can be sent no more."""
        return self._connector is None or self._connector.closed

    @property
    def connector(self) -> BaseConnector | None:
        """Where connections come from, None once the session is closed."""
        return self._connector

    @property
    def connector_owner(self) -> bool:
        """Whether ``close`` closes the connector."""
        return self._connector_owner

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop it belongs to; deprecated."""
        warnings.warn(
            "ClientSession.loop is deprecated, use asyncio.get_running_loop()",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._loop

    def _unusable(self) -> RuntimeError:
        """Say why no request can be sent."""
        if self.closed:
            return RuntimeError("Session is closed")
        return RuntimeError(
            "this ClientSession belongs to another event loop than the one that runs "
            "now; make one in each loop"
        )

    def detach(self) -> None:
        """Forget the connector without closing it; the session is closed then."""
        self._connector = None

    async def close(self) -> None:
        """Close the session, and its connector if it owns it. Harmless if repeated."""
        connector, self._connector = self._connector, None
        if connector is not None and self._connector_owner:
            await connector.close()

    def __enter__(self) -> NoReturn:
        msg = "Use async with instead"
        raise TypeError(msg)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Exist, so that ``with`` reaches the sentence above."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        connector: BaseConnector | None = getattr(self, "_connector", None)
        if connector is None or connector.closed:
            return
        warnings.warn(
            f"Unclosed client session {self!r}",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
        if self._loop.is_closed():
            return
        context: dict[str, Any] = {
            "client_session": self,
            "message": "Unclosed client session",
        }
        if self._source_traceback is not None:
            context["source_traceback"] = self._source_traceback
        self._loop.call_exception_handler(context)


def own_loop(
    loop: asyncio.AbstractEventLoop | None, connector: BaseConnector | None
) -> asyncio.AbstractEventLoop:
    """Say which event loop a session belongs to.

    Args:
        loop: The argument of that name.
        connector: Its connector, None for a new one.

    Raises:
        RuntimeError: There is none, or the connector belongs to another one.
    """
    if loop is None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if connector is None:
                raise
            return connector.loop
    if connector is not None and connector.loop is not loop:
        msg = "Session and connector have to use same event loop"
        raise RuntimeError(msg)
    return loop


def set_and_warn(session: Life, name: str, value: Any) -> None:
    """Set an attribute, and warn of one that a session does not know.

    Compat: aiohttp does so in development mode, too.
    """
    if name not in session.ATTRS:
        warnings.warn(
            f"Setting custom ClientSession.{name} attribute is discouraged",
            DeprecationWarning,
            stacklevel=2,
        )
    object.__setattr__(session, name, value)
