"""The verbs of a session: one short name for each common method.

They only give the work to ``_request``, which a session has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Unpack

from windtunnel._session.context import RequestContext
from windtunnel._session.options import check_names

if TYPE_CHECKING:
    from yarl import URL

    from windtunnel._exchange.response import ClientResponse
    from windtunnel._session.options import RequestOptions


class Verbs(ABC):
    """What one can ask a session for."""

    __slots__ = ()

    @abstractmethod
    async def _request(
        self, method: str, url: str | URL, **options: Any
    ) -> ClientResponse:
        """Send a request and give the response."""

    def request(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> RequestContext:
        """Send a request.

        Args:
            method: Any token; the standard ones are sent in upper case.
            url: Absolute, or relative to the session's base_url.
            **options: ``params`` is added to the query. ``data`` is the body: bytes,
                str, a form, a file, an asynchronous iterable; ``json`` is one to be
                serialised. ``headers`` go over the session's. ``timeout``,
                ``raise_for_status``, ``read_bufsize``, ``auto_decompress`` and the
                limits replace the session's; a number as timeout is one for all.
                ``ssl`` is True, False, a context or a ``Fingerprint``, and
                ``server_hostname`` the name that the certificate must have. ``proxy``
                is a URL, ``proxy_headers`` are for it. ``skip_auto_headers`` names
                automatic fields that are not to be sent. ``cookies`` are sent beside
                those of the jar. ``compress`` names a content coding for the body, True
                is deflate. ``chunked=True`` sends it in chunks, and ``expect100`` only
                when the server asks for it. ``upload_tracker`` shows how much of it is
                sent. ``read_until_eof=False`` lets a response that does not say how
                long it is have no body. ``allow_redirects`` and ``max_redirects`` say
                how far redirects are followed. ``middlewares`` replace the session's.
                ``trace_request_ctx`` is for trace handlers. ``auth`` is deprecated.

        Returns:
            Something to await, or to enter with ``async with``: the response when its
            head has arrived.

        Raises:
            TypeError: There is no argument of some name; or, when awaited, one is of
                the wrong type.
            ClientError: When awaited: no response came, or none that is HTTP.
            TotalTimeoutError: When awaited: it took too long.
            ValueError: When awaited: an argument cannot be sent.
            RuntimeError: When awaited: the session is closed, or belongs to another
                event loop.
        """
        if options:
            check_names("ClientSession.request", options)
        return RequestContext(self._request(method, url, **options))

    def get(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send GET; see ``request``."""
        if options:
            check_names("ClientSession.get", options)
        return RequestContext(self._request("GET", url, **options))

    def options(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> RequestContext:
        """Send OPTIONS; see ``request``."""
        if options:
            check_names("ClientSession.options", options)
        return RequestContext(self._request("OPTIONS", url, **options))

    def head(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send HEAD; see ``request``. Redirects are followed if asked for."""
        options.setdefault("allow_redirects", False)
        if options:
            check_names("ClientSession.head", options)
        return RequestContext(self._request("HEAD", url, **options))

    def post(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send POST; see ``request``."""
        if options:
            check_names("ClientSession.post", options)
        return RequestContext(self._request("POST", url, **options))

    def put(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send PUT; see ``request``."""
        if options:
            check_names("ClientSession.put", options)
        return RequestContext(self._request("PUT", url, **options))

    def patch(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> RequestContext:
        """Send PATCH; see ``request``."""
        if options:
            check_names("ClientSession.patch", options)
        return RequestContext(self._request("PATCH", url, **options))

    def delete(
        self, url: str | URL, **options: Unpack[RequestOptions]
    ) -> RequestContext:
        """Send DELETE; see ``request``."""
        if options:
            check_names("ClientSession.delete", options)
        return RequestContext(self._request("DELETE", url, **options))
