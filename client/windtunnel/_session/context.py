"""What the verbs return: to be awaited, or to be entered with ``async with``."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

from windtunnel._base.compat import override
from windtunnel._exchange.response import ClientResponse

if TYPE_CHECKING:
    from types import TracebackType


class RequestContext(Coroutine[Any, Any, ClientResponse]):
    """A request that starts when it is awaited or entered.

    It is a coroutine as well, so that it can be given to ``create_task``.
    """

    __slots__ = ("_request", "_response")

    def __init__(self, request: Coroutine[Any, Any, ClientResponse]) -> None:
        self._request = request

    @override
    def __await__(self) -> Generator[Any, Any, ClientResponse]:
        return self._request.__await__()

    @override
    def send(self, value: Any, /) -> Any:
        return self._request.send(value)

    @override
    def throw(self, *args: Any) -> Any:
        return self._request.throw(*args)

    @override
    def close(self) -> None:
        self._request.close()

    async def __aenter__(self) -> ClientResponse:
        self._response = response = await self._request
        response.is_entered = True
        return response

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        response = self._response
        response.is_entered = False
        response.release()
        if response.is_sending:
            await response.wait_for_close()
