"""Turn what a caller gives as ``data=`` or ``json=`` into a body to send.

What comes in: bytes, text, forms, files, asynchronous iterables. What goes out: a
``Payload``, which has the whole body in memory or gives it in pieces. This module must
not know how a body is framed or written, and never looks at a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from multidict import CIMultiDict

from windtunnel._base.typedefs import shown
from windtunnel._body.formdata import FormData
from windtunnel._body.payload_async import AsyncIterablePayload
from windtunnel._body.payload_base import OCTETS, Payload
from windtunnel._body.payload_files import IOBasePayload
from windtunnel._body.payload_memory import TEXT, bytes_payload, encoded_json
from windtunnel._body.payload_registry import PAYLOAD_REGISTRY, NoPayloadError

if TYPE_CHECKING:
    from windtunnel._body.payload_base import Headers

__all__ = ("Payload", "compressed", "json_payload", "make_payload", "request_payload")

_JSON = "application/json"


def make_payload(data: Any) -> Payload:
    """Find out how to send what a caller gave as ``data=``.

    Args:
        data: A Payload, bytes-like, str, a form (FormData, mapping or list of pairs,
            with files if need be), a file open for reading (binary or text), an
            asynchronous iterable of bytes, or anything that is registered.

    Returns:
        The payload. Files are sent from their current position on.

    Raises:
        TypeError: ``data`` is none of these.
        ValueError: A form field is not a pair.
    """
    if not PAYLOAD_REGISTRY.has_overrides:
        if isinstance(data, bytes):
            return bytes_payload(data, OCTETS)
        if isinstance(data, str):
            return bytes_payload(data.encode(), TEXT)
    if isinstance(data, FormData):
        return data().settled()
    # The content of a response iterates by line; whole pieces are cheaper to pass on.
    if hasattr(data, "iter_any"):
        return AsyncIterablePayload(data.iter_any())
    try:
        # A request says nothing about where its body is to be stored.
        return PAYLOAD_REGISTRY.get(data, disposition=None).settled()
    except NoPayloadError:
        return _unregistered(data)


def _unregistered(data: Any) -> Payload:
    """Take forms, and what can only be read."""
    if isinstance(data, (Mapping, list, tuple)):
        return FormData(cast("Any", data))().settled()
    if callable(getattr(data, "read", None)):
        return IOBasePayload(data, None)
    msg = (
        f"data={shown(data)} of type {type(data).__name__} cannot be sent; allowed are "
        f"bytes, str, a mapping or list of pairs, an open file, and an asynchronous "
        f"iterable of bytes"
    )
    raise TypeError(msg)


def json_payload(obj: Any, dumps: Callable[[Any], object]) -> Payload:
    """Encode ``obj`` as JSON.

    Args:
        obj: Anything that ``dumps`` takes.
        dumps: The session's serializer; text is encoded as UTF-8.

    Raises:
        TypeError: The serializer gave neither str nor bytes.

    Spec: RFC 8259 section 8.1.
    """
    return bytes_payload(encoded_json(obj, dumps), _JSON)


def request_payload(data: Any, json: Any, dumps: Callable[[Any], object]) -> Payload:
    """Make the body of a request from its ``data`` or its ``json``.

    Raises:
        ValueError: Both are given.
        TypeError: It cannot be sent.
    """
    if json is None:
        return make_payload(data)
    if data is not None:
        msg = "data and json parameters can not be used at the same time"
        raise ValueError(msg)
    return json_payload(json, dumps)


def compressed(
    payload: Payload, compress: str | bool, *headers: Headers | None
) -> Payload:
    """Apply a content coding to a body, unless that is empty.

    Args:
        payload: The body.
        compress: Name of the coding; True for deflate.
        *headers: Fields of the request.

    Raises:
        ValueError: The coding cannot be applied, or the fields name one already.
    """
    # Here, because few requests are compressed.
    from windtunnel._body.encoders import CompressedPayload

    if any("Content-Encoding" in CIMultiDict(fields or ()) for fields in headers):
        msg = "compress can not be set if Content-Encoding header is set"
        raise ValueError(msg)
    if payload.size == 0:
        return payload
    return CompressedPayload(payload, "deflate" if compress is True else str(compress))
