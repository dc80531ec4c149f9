"""Find the payload class for a value, by the types that are registered.

Values come in, payloads go out. Users may register factories for their own types.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from windtunnel._body.payload_async import (
    AsyncIterablePayload,
    StreamReaderPayload,
    StreamWrapper,
    StreamWrapperPayload,
    streamer,
)
from windtunnel._body.payload_base import Payload
from windtunnel._body.payload_files import (
    BufferedReaderPayload,
    BytesIOPayload,
    IOBasePayload,
    TextIOPayload,
)
from windtunnel._body.payload_memory import (
    BytesPayload,
    StringIOPayload,
    StringPayload,
)
from windtunnel._body.stream import StreamReader

if TYPE_CHECKING:
    from collections.abc import Callable

    Factory = Callable[..., Payload]
    Types = type[Any] | tuple[type[Any], ...]

F = TypeVar("F", bound="Callable[..., Any]")

__all__ = (
    "PAYLOAD_REGISTRY",
    "NoPayloadError",
    "Order",
    "PayloadRegistry",
    "get_payload",
    "payload_type",
    "register_payload_type",
)


class NoPayloadError(Exception):
    """No payload class is registered for the type of a value.

    Compat: aiohttp calls it ``payload.LookupError``.
    """


class Order(StrEnum):
    """When a registered type is tried."""

    normal = "normal"
    try_first = "try_first"
    try_last = "try_last"


class PayloadRegistry:
    """Types and what makes payloads from their values.

    Within an order, the type that was registered first is tried first.

    Attributes:
        has_overrides: Whether something is tried before the types that are built in.
    """

    __slots__ = ("_first", "_last", "_normal", "has_overrides")

    def __init__(self) -> None:
        self._first: list[tuple[Types, Factory]] = []
        self._normal: list[tuple[Types, Factory]] = []
        self._last: list[tuple[Types, Factory]] = []
        self.has_overrides = False

    def get(self, data: Any, *args: Any, **kwargs: Any) -> Payload:
        """Make the payload of a value; a payload is given back as it is.

        Args:
            data: The value.
            *args: For the factory.
            **kwargs: For the factory.

        Raises:
            NoPayloadError: No type that it has is registered.
        """
        factory = _find(self._first, data)
        if factory is None and isinstance(data, Payload):
            return data
        factory = factory or _find(self._normal, data) or _find(self._last, data)
        if factory is None:
            raise NoPayloadError
        return factory(data, *args, **kwargs)

    def register(
        self,
        factory: Factory,
        type: Types,  # noqa: A002  # the compatible name
        *,
        order: Order = Order.normal,
    ) -> None:
        """Register what makes payloads from values of a type.

        Raises:
            ValueError: ``order`` is no ``Order``.
        """
        if order is Order.try_first:
            self._first.append((type, factory))
            self.has_overrides = True
        elif order is Order.normal:
            self._normal.append((type, factory))
        elif order is Order.try_last:
            self._last.append((type, factory))
        else:
            msg = f"Unsupported order {order!r}"  # type: ignore[unreachable]  # callers may be untyped
            raise ValueError(msg)


def _find(entries: list[tuple[Types, Factory]], data: object) -> Factory | None:
    for types, factory in entries:
        if isinstance(data, types):
            return factory
    return None


PAYLOAD_REGISTRY = PayloadRegistry()


def get_payload(data: Any, *args: Any, **kwargs: Any) -> Payload:
    """Make the payload of a value; see ``PayloadRegistry.get``."""
    return PAYLOAD_REGISTRY.get(data, *args, **kwargs)


def register_payload_type(
    factory: Factory,
    type: Types,  # noqa: A002  # the compatible name
    *,
    order: Order = Order.normal,
) -> None:
    """Register what makes payloads from values of a type."""
    PAYLOAD_REGISTRY.register(factory, type, order=order)


class payload_type:  # noqa: N801  # the compatible name
    """Register the decorated class for a type."""

    def __init__(
        self,
        type: Types,  # noqa: A002  # the compatible name
        *,
        order: Order = Order.normal,
    ) -> None:
        self.type = type
        self.order = order

    def __call__(self, factory: F) -> F:
        register_payload_type(factory, self.type, order=self.order)
        return factory


def _called(value: streamer, *args: Any, **kwargs: Any) -> StreamWrapperPayload:
    return StreamWrapperPayload(value(), *args, **kwargs)


for _types, _factory in (
    ((bytes, bytearray, memoryview), BytesPayload),
    (str, StringPayload),
    (io.StringIO, StringIOPayload),
    (io.BytesIO, BytesIOPayload),
    ((io.BufferedReader, io.BufferedRandom), BufferedReaderPayload),
    (io.TextIOBase, TextIOPayload),
    (StreamReader, StreamReaderPayload),
    (streamer, _called),
    (StreamWrapper, StreamWrapperPayload),
    (io.IOBase, IOBasePayload),
):
    PAYLOAD_REGISTRY.register(_factory, _types)
# Anything can be iterable besides what else it is.
PAYLOAD_REGISTRY.register(AsyncIterablePayload, AsyncIterable, order=Order.try_last)
