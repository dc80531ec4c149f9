"""Names of ``aiohttp.payload``: what a request's body is made of."""

from __future__ import annotations

from windtunnel import (
    PAYLOAD_REGISTRY,
    AsyncIterablePayload,
    BufferedReaderPayload,
    BytesIOPayload,
    BytesPayload,
    IOBasePayload,
    JsonPayload,
    Payload,
    StringIOPayload,
    StringPayload,
    TextIOPayload,
    get_payload,
    payload_type,
)
from windtunnel._body.payload_async import (
    StreamReaderPayload,
)
from windtunnel._body.payload_memory import (
    JsonBytesPayload,
)
from windtunnel._body.payload_registry import (
    NoPayloadError as LookupError,  # noqa: A004  # the compatible name
    Order,
    PayloadRegistry,
    register_payload_type as register_payload,
)

__all__ = (
    "PAYLOAD_REGISTRY",
    "AsyncIterablePayload",
    "BufferedReaderPayload",
    "BytesIOPayload",
    "BytesPayload",
    "IOBasePayload",
    "JsonBytesPayload",
    "JsonPayload",
    "LookupError",
    "Order",
    "Payload",
    "PayloadRegistry",
    "StreamReaderPayload",
    "StringIOPayload",
    "StringPayload",
    "TextIOPayload",
    "get_payload",
    "payload_type",
    "register_payload",
)
