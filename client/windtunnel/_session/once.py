"""One request without a session of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from windtunnel._base.typedefs import HttpVersion, HttpVersion11
from windtunnel._session.options import check_names
from windtunnel._session.session import ClientSession
from windtunnel._transport.tcp import TCPConnector

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

    from yarl import URL

    from windtunnel._exchange.response import ClientResponse
    from windtunnel._session.options import RequestOptions
    from windtunnel._transport.connector import BaseConnector


class OneRequest:
    """A request with a session that lives as long as its response is used.

    Args:
        method: As of ``request``.
        url: As there.
        options: The keyword arguments of the request.
        session: Those of the session.
    """

    __slots__ = ("_method", "_options", "_response", "_session", "_settings", "_url")

    def __init__(
        self,
        method: str,
        url: str | URL,
        options: dict[str, Any],
        session: dict[str, Any],
    ) -> None:
        self._method = method
        self._url = url
        self._options = options
        self._settings = session

    async def __aenter__(self) -> ClientResponse:
        settings = dict(self._settings)
        is_own = settings["connector"] is None
        if is_own:
            settings["connector"] = TCPConnector(
                loop=settings["loop"], force_close=True
            )
        self._session = session = ClientSession(connector_owner=is_own, **settings)
        try:
            # Not the verb: that would check, and warn of, the same arguments again.
            self._response = response = await session._request(  # pyright: ignore[reportPrivateUsage]  # of the same room
                self._method, self._url, **self._options
            )
        except BaseException:
            await session.close()
            raise
        response.is_entered = True
        return response

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._response.is_entered = False
        self._response.release()
        await self._session.close()


def request(
    method: str,
    url: str | URL,
    *,
    version: HttpVersion = HttpVersion11,
    connector: BaseConnector | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
    **options: Unpack[RequestOptions],
) -> OneRequest:
    """Send one request, with a session and connections that are closed afterwards.

    Programs that send more than one are better off with a ``ClientSession``.

    Args:
        method: Any token; the standard ones are sent in upper case.
        url: Absolute.
        version: Of the protocol.
        connector: Where the connection comes from; it stays open.
        loop: Deprecated: the event loop, if it is not the running one.
        **options: As of ``ClientSession.request``.

    Returns:
        The response when entered with ``async with``; it cannot be awaited.

    Raises:
        TypeError: There is no argument of some name.

    Compat: aiohttp's function of that name.
    """
    check_names("request", options)
    settings = {"version": version, "connector": connector, "loop": loop}
    return OneRequest(method, url, dict(options), settings)
