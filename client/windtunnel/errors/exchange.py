"""Errors of bodies, of URLs, of time, and those that are no ``ClientError``.

What comes in: what was being done, and to which URL. What goes out: exceptions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windtunnel._base.compat import override
from windtunnel.errors.response import ClientError

if TYPE_CHECKING:
    from yarl import URL


class ClientPayloadError(ClientError):
    """The body of the response ended early or cannot be decoded.

    Attributes:
        partial: What the read that raised had decoded until then.
        rule: What a malformed body broke, as "RFC 9112 section 7.1"; else empty.
        offset: Where, in bytes from the first byte of the answer; else -1.
    """

    partial: bytes = b""
    rule: str = ""
    offset: int = -1


class UploadAbortedError(ClientError):
    """The request was over before its body was sent to the end."""


class InvalidURL(ClientError, ValueError):  # noqa: N818  # the compatible name
    """A URL that no request can be made of."""

    def __init__(self, url: str | URL, description: str | None = None) -> None:
        self._url = url
        self._description = description
        if description is None:
            super().__init__(url)
        else:
            super().__init__(url, description)

    @property
    def url(self) -> str | URL:
        """The URL as it was given."""
        return self._url

    @property
    def description(self) -> str | None:
        """What is wrong with it, None if there is nothing more to say."""
        return self._description

    @override
    def __str__(self) -> str:
        if self._description is None:
            return str(self._url)
        return f"{self._url} - {self._description}"

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class InvalidUrlClientError(InvalidURL):
    """The URL of the request is not usable."""


class RedirectClientError(ClientError):
    """Base of the errors of a redirect target."""


class NonHttpUrlClientError(ClientError):
    """The scheme of the URL is none that this client speaks."""


class InvalidUrlRedirectClientError(InvalidUrlClientError, RedirectClientError):
    """The target of a redirect is not usable."""


class NonHttpUrlRedirectClientError(NonHttpUrlClientError, RedirectClientError):
    """The target of a redirect has a scheme that this client does not speak."""


class TotalTimeoutError(TimeoutError):
    """The whole exchange took longer than ``total`` seconds.

    It is no ``ClientError``: the compatible API raises a bare ``TimeoutError`` here,
    and nobody's ``except`` may start to catch something else.

    Attributes:
        method: Method of the request that was cut.
        url: Its URL.
        phase: What was going on, such as "waiting for the response head".
        seconds: The ``total`` that ran out.
    """

    def __init__(self, method: str, url: str | URL, phase: str, seconds: float) -> None:
        super().__init__(method, url, phase, seconds)
        self.args: tuple[Any, ...] = (method, url, phase, seconds)
        self.method = method
        self.url = url
        self.phase = phase
        self.seconds = seconds

    @override
    def __str__(self) -> str:
        return (
            f"{self.method} {self.url} was cut after {self.seconds:g} s (total "
            f"timeout) while {self.phase}"
        )

    # OSError would keep only errno, strerror and a file name.
    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args


class WSMessageTypeError(TypeError):
    """A WebSocket message is not of the type that the caller asked for."""


class WebSocketError(Exception):
    """The peer broke the WebSocket protocol.

    Attributes:
        code: Close code that says how.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    @override
    def __str__(self) -> str:
        return str(self.args[1])


class EofStream(Exception):  # noqa: N818  # the compatible name
    """A queue was read after its end."""
