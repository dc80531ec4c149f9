"""Errors of a response that came and is not what was wanted, and their root.

What comes in: the request and what the response head said. What goes out: exceptions
that can be pickled although a header proxy and a live response cannot.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, cast

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy

from windtunnel._base.compat import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windtunnel._base.typedefs import RequestInfo


class ClientError(Exception):
    """Base of everything that goes wrong between this client and its peer."""


def _portable(value: Any) -> tuple[str, Any]:
    """Turn a header mapping into something pickle takes, and say what it was."""
    cls = cast("type[object]", type(value))
    if issubclass(cls, CIMultiDictProxy):
        return "ci", CIMultiDict(value)
    if issubclass(cls, MultiDictProxy):
        return "cs", MultiDict(value)
    return "", value


def _original(kind: str, value: Any) -> Any:
    """Undo ``_portable``."""
    if kind == "ci":
        return CIMultiDictProxy(value)
    return MultiDictProxy(value) if kind == "cs" else value


def _rebuild_response_error(
    cls: Callable[..., ClientResponseError],
    info_cls: Callable[..., RequestInfo] | None,
    info: Any,
    headers: tuple[str, Any],
    state: dict[str, Any],
) -> ClientResponseError:
    """Make a ``ClientResponseError`` again from what ``__reduce__`` gave to pickle."""
    if info_cls is not None:
        info = info_cls(*(_original(*field) for field in info))
    state["headers"] = _original(*headers)
    error = cls(info, (), status=state["status"], message=state["message"])
    error.__dict__.update(state)
    return error


class ClientResponseError(ClientError):
    """A response arrived and is not acceptable.

    Attributes:
        request_info: What was asked; None only in tests of callers.
        history: The redirect responses before it, oldest first.
        status: Status code, 0 if there was none.
        message: Reason phrase of the response, or what is wrong with it.
        headers: Header fields of the response, None if there was none.
        rule: What a malformed response broke, as "RFC 9112 section 4"; else empty.
        offset: Where, in bytes from the first byte of the answer; else -1.
    """

    rule: str = ""
    offset: int = -1

    def __init__(
        self,
        request_info: RequestInfo | None,
        history: tuple[Any, ...],
        *,
        code: int | None = None,
        status: int | None = None,
        message: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Store the facts; ``code`` is the old name of ``status``.

        Raises:
            ValueError: Both ``code`` and ``status`` were given.
        """
        if code is not None:
            if status is not None:
                msg = f"code={code!r} and status={status!r} mean the same: give status"
                raise ValueError(msg)
            warnings.warn(
                "code argument is deprecated, use status instead",
                DeprecationWarning,
                stacklevel=2,
            )
            status = code
        super().__init__(request_info, history)
        self.request_info = request_info
        self.history = history
        self.status = 0 if status is None else status
        self.message = message
        self.headers = headers

    @property
    def code(self) -> int:
        """The status; deprecated since users of the compatible API have ``status``."""
        warnings.warn(
            "code property is deprecated, use status instead",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.status

    @code.setter
    def code(self, value: int) -> None:
        warnings.warn(
            "code property is deprecated, use status instead",
            DeprecationWarning,
            stacklevel=2,
        )
        self.status = value

    @override
    def __str__(self) -> str:
        info = self.request_info
        url = str(info.real_url) if info is not None else None
        return f"{self.status}, message={self.message!r}, url={url!r}"

    @override
    def __repr__(self) -> str:
        facts = f"{self.request_info!r}, {self.history!r}"
        if self.status != 0:
            facts += f", status={self.status!r}"
        if self.message != "":
            facts += f", message={self.message!r}"
        if self.headers is not None:
            facts += f", headers={self.headers!r}"
        return f"{type(self).__name__}({facts})"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        state = dict(self.__dict__, history=(), request_info=None)
        state.pop("headers")
        info: Any = self.request_info
        info_cls = None
        if info is not None:
            # RequestInfo is a tuple with a header proxy in it, which pickle refuses.
            info_cls = cast("type[object]", type(info))
            info = [_portable(field) for field in info]
        state.pop("request_info")
        headers = _portable(self.headers)
        return _rebuild_response_error, (type(self), info_cls, info, headers, state)


class ContentTypeError(ClientResponseError):
    """The body is not of the media type that the caller asked to have decoded."""


class WSServerHandshakeError(ClientResponseError):
    """The answer to a WebSocket handshake is not a valid one."""


class ClientHttpProxyError(ClientResponseError):
    """The proxy answered CONNECT with another status than 200."""


class TooManyRedirects(ClientResponseError):  # noqa: N818  # the compatible name
    """The chain of redirects is longer than ``max_redirects`` allows."""
