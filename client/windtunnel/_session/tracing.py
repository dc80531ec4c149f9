"""Tracing: what users hook into a session to watch its requests.

A ``TraceConfig`` holds the handlers; a ``Tracer`` binds the configs of a session to one
request, and everything below calls its ``emit`` without knowing who listens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableSequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from windtunnel._base.compat import override

if TYPE_CHECKING:
    from multidict import CIMultiDict, CIMultiDictProxy
    from yarl import URL

    from windtunnel._exchange.response import ClientResponse
    from windtunnel._session.session import ClientSession

_Params = TypeVar("_Params")
_Handler = Callable[["ClientSession", Any, _Params], Awaitable[object]]


# --- what handlers are told ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TraceRequestStartParams:
    """A request begins; the URL has its params."""

    method: str
    url: URL
    headers: CIMultiDict[str]


@dataclass(frozen=True, slots=True)
class TraceRequestChunkSentParams:
    """A piece of the request body went out."""

    method: str
    url: URL
    chunk: bytes


@dataclass(frozen=True, slots=True)
class TraceResponseChunkReceivedParams:
    """A body was read whole; the chunk is all of it."""

    method: str
    url: URL
    chunk: bytes


@dataclass(frozen=True, slots=True)
class TraceRequestEndParams:
    """The head of the final response came."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    response: ClientResponse


@dataclass(frozen=True, slots=True)
class TraceRequestExceptionParams:
    """The request failed, or was cancelled."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    exception: BaseException


@dataclass(frozen=True, slots=True)
class TraceRequestRedirectParams:
    """A response sends the request on."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    response: ClientResponse


@dataclass(frozen=True, slots=True)
class TraceRequestHeadersSentParams:
    """The head of the request went out."""

    method: str
    url: URL
    headers: CIMultiDict[str] | CIMultiDictProxy[str]


@dataclass(frozen=True, slots=True)
class TraceConnectionQueuedStartParams:
    """The request has to wait for a place in the pool."""


@dataclass(frozen=True, slots=True)
class TraceConnectionQueuedEndParams:
    """It got one."""


@dataclass(frozen=True, slots=True)
class TraceConnectionCreateStartParams:
    """A new connection is being made."""


@dataclass(frozen=True, slots=True)
class TraceConnectionCreateEndParams:
    """It was made."""


@dataclass(frozen=True, slots=True)
class TraceConnectionReuseconnParams:
    """An idle connection is used again."""


@dataclass(frozen=True, slots=True)
class TraceDnsResolveHostStartParams:
    """A name is being looked up."""

    host: str


@dataclass(frozen=True, slots=True)
class TraceDnsResolveHostEndParams:
    """It was."""

    host: str


@dataclass(frozen=True, slots=True)
class TraceDnsCacheHitParams:
    """The addresses of a name were known."""

    host: str


@dataclass(frozen=True, slots=True)
class TraceDnsCacheMissParams:
    """They were not."""

    host: str


# --- handlers -----------------------------------------------------------------------


class Signal(MutableSequence[_Handler[_Params]], Generic[_Params]):
    """A list of handlers that cannot change once it is frozen.

    Compat: aiosignal's Signal, as far as tracing uses it.
    """

    __slots__ = ("_handlers", "_is_frozen")

    def __init__(self) -> None:
        self._handlers: list[_Handler[_Params]] = []
        self._is_frozen = False

    @property
    def frozen(self) -> bool:
        """Whether it can change no more."""
        return self._is_frozen

    def freeze(self) -> None:
        """Let it change no more. Harmless if repeated."""
        self._is_frozen = True

    async def send(self, session: ClientSession, context: Any, params: _Params) -> None:
        """Call the handlers in their order.

        Raises:
            RuntimeError: The signal is not frozen.
        """
        if not self._is_frozen:
            msg = "Cannot send non-frozen signal."
            raise RuntimeError(msg)
        for handler in self._handlers:
            await handler(session, context, params)

    def _check(self) -> None:
        if self._is_frozen:
            msg = "Cannot modify frozen list."
            raise RuntimeError(msg)

    @overload
    def __getitem__(self, index: int) -> _Handler[_Params]: ...
    @overload
    def __getitem__(self, index: slice) -> MutableSequence[_Handler[_Params]]: ...
    @override
    def __getitem__(self, index: Any) -> Any:
        handlers: Any = self._handlers
        return handlers[index]

    @override
    def __setitem__(self, index: Any, value: Any) -> None:
        self._check()
        self._handlers[index] = value

    @override
    def __delitem__(self, index: Any) -> None:
        self._check()
        del self._handlers[index]

    @override
    def __len__(self) -> int:
        return len(self._handlers)

    @override
    def insert(self, index: int, value: _Handler[_Params]) -> None:
        self._check()
        self._handlers.insert(index, value)

    @override
    def __repr__(self) -> str:
        return f"<Signal(frozen={self._is_frozen}, {self._handlers!r})>"


# Each signal, in the order of a request's life, with what its handlers are told.
_PARAMS: dict[str, type[Any]] = {
    "request_start": TraceRequestStartParams,
    "request_chunk_sent": TraceRequestChunkSentParams,
    "response_chunk_received": TraceResponseChunkReceivedParams,
    "request_end": TraceRequestEndParams,
    "request_exception": TraceRequestExceptionParams,
    "request_redirect": TraceRequestRedirectParams,
    "request_headers_sent": TraceRequestHeadersSentParams,
    "connection_queued_start": TraceConnectionQueuedStartParams,
    "connection_queued_end": TraceConnectionQueuedEndParams,
    "connection_create_start": TraceConnectionCreateStartParams,
    "connection_create_end": TraceConnectionCreateEndParams,
    "connection_reuseconn": TraceConnectionReuseconnParams,
    "dns_resolvehost_start": TraceDnsResolveHostStartParams,
    "dns_resolvehost_end": TraceDnsResolveHostEndParams,
    "dns_cache_hit": TraceDnsCacheHitParams,
    "dns_cache_miss": TraceDnsCacheMissParams,
}


class _ContextFactory(Protocol):
    def __call__(self, *, trace_request_ctx: Any = None) -> Any:
        """Make the context of one request."""
        ...


class TraceConfig:
    """Handlers for what happens to requests, for ``ClientSession(trace_configs=...)``.

    Each ``on_...`` is a list to append ``async def handler(session, context, params)``
    to, before the session is made.

    Args:
        trace_config_ctx_factory: Makes the context of each request, which all handlers
            of that request get; it is called with ``trace_request_ctx``.

    Attributes:
        signals: The lists by name, without ``on_``.
    """

    def __init__(
        self, trace_config_ctx_factory: _ContextFactory = SimpleNamespace
    ) -> None:
        self._factory = trace_config_ctx_factory
        self.signals: dict[str, Signal[Any]] = {name: Signal() for name in _PARAMS}

    def trace_config_ctx(self, trace_request_ctx: Any = None) -> Any:
        """Make the context of one request."""
        return self._factory(trace_request_ctx=trace_request_ctx)

    def freeze(self) -> None:
        """Let the lists change no more; the session does this."""
        for signal in self.signals.values():
            signal.freeze()

    @property
    def on_request_start(self) -> Signal[TraceRequestStartParams]:
        """A request begins; the URL has its params."""
        return self.signals["request_start"]

    @property
    def on_request_chunk_sent(self) -> Signal[TraceRequestChunkSentParams]:
        """A piece of the request body went out."""
        return self.signals["request_chunk_sent"]

    @property
    def on_response_chunk_received(self) -> Signal[TraceResponseChunkReceivedParams]:
        """A body was read whole; the chunk is all of it."""
        return self.signals["response_chunk_received"]

    @property
    def on_request_end(self) -> Signal[TraceRequestEndParams]:
        """The head of the final response came."""
        return self.signals["request_end"]

    @property
    def on_request_exception(self) -> Signal[TraceRequestExceptionParams]:
        """The request failed, or was cancelled."""
        return self.signals["request_exception"]

    @property
    def on_request_redirect(self) -> Signal[TraceRequestRedirectParams]:
        """A response sends the request on."""
        return self.signals["request_redirect"]

    @property
    def on_request_headers_sent(self) -> Signal[TraceRequestHeadersSentParams]:
        """The head of the request went out."""
        return self.signals["request_headers_sent"]

    @property
    def on_connection_queued_start(self) -> Signal[TraceConnectionQueuedStartParams]:
        """The request has to wait for a place in the pool."""
        return self.signals["connection_queued_start"]

    @property
    def on_connection_queued_end(self) -> Signal[TraceConnectionQueuedEndParams]:
        """It got one."""
        return self.signals["connection_queued_end"]

    @property
    def on_connection_create_start(self) -> Signal[TraceConnectionCreateStartParams]:
        """A new connection is being made."""
        return self.signals["connection_create_start"]

    @property
    def on_connection_create_end(self) -> Signal[TraceConnectionCreateEndParams]:
        """It was made."""
        return self.signals["connection_create_end"]

    @property
    def on_connection_reuseconn(self) -> Signal[TraceConnectionReuseconnParams]:
        """An idle connection is used again."""
        return self.signals["connection_reuseconn"]

    @property
    def on_dns_resolvehost_start(self) -> Signal[TraceDnsResolveHostStartParams]:
        """A name is being looked up."""
        return self.signals["dns_resolvehost_start"]

    @property
    def on_dns_resolvehost_end(self) -> Signal[TraceDnsResolveHostEndParams]:
        """It was."""
        return self.signals["dns_resolvehost_end"]

    @property
    def on_dns_cache_hit(self) -> Signal[TraceDnsCacheHitParams]:
        """The addresses of a name were known."""
        return self.signals["dns_cache_hit"]

    @property
    def on_dns_cache_miss(self) -> Signal[TraceDnsCacheMissParams]:
        """They were not."""
        return self.signals["dns_cache_miss"]


class Tracer:
    """The trace configs of a session, bound to one request.

    Args:
        session: Told to handlers.
        configs: Frozen trace configs.
        trace_request_ctx: What the caller gave the request for its handlers.
    """

    __slots__ = ("_bound", "_session", "_started")

    def __init__(
        self,
        session: ClientSession,
        configs: Iterable[TraceConfig],
        trace_request_ctx: Any,
    ) -> None:
        self._session = session
        self._bound = [
            (config.signals, config.trace_config_ctx(trace_request_ctx))
            for config in configs
        ]
        self._started = 0

    async def start(self, *values: Any) -> None:
        """Tell that the request begins; only who was told is told about its failure."""
        params = TraceRequestStartParams(*values)
        for signals, context in self._bound:
            await signals["request_start"].send(self._session, context, params)
            self._started += 1

    async def fail(self, *values: Any) -> None:
        """Tell that the request failed."""
        params = TraceRequestExceptionParams(*values)
        for signals, context in self._bound[: self._started]:
            await signals["request_exception"].send(self._session, context, params)

    async def emit(self, name: str, *values: Any) -> None:
        """Tell the handlers of one signal.

        Args:
            name: The signal, without ``on_``.
            *values: What the fields of its params are.
        """
        for signals, context in self._bound:
            if signal := signals[name]:
                await signal.send(self._session, context, _PARAMS[name](*values))
