"""What a caller gives as a body is sent with the right type, length and bytes."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from multidict import MultiDict

from tests.client.body.support import Source
from windtunnel._body.payloads import (
    Payload,
    compressed,
    json_payload,
    make_payload,
    request_payload,
)

if TYPE_CHECKING:
    from collections.abc import Callable


OCTETS = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
BIG = bytes(range(256)) * 2000


def collect(payload: Payload) -> list[bytes]:
    async def main() -> list[bytes]:
        return [piece async for piece in payload.pieces()]

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("data", "body", "content_type"),
    [
        pytest.param(b"abc", b"abc", OCTETS, id="bytes"),
        pytest.param(b"", b"", OCTETS, id="no-bytes"),
        pytest.param(bytearray(b"abc"), b"abc", OCTETS, id="bytearray"),
        pytest.param(memoryview(b"abc")[::2], b"ac", OCTETS, id="memoryview"),
        pytest.param("Тест", "Тест".encode(), TEXT, id="str"),
        pytest.param(io.StringIO("é"), "é".encode(), TEXT, id="stringio"),
        pytest.param(io.BytesIO(b"abc"), b"abc", OCTETS, id="bytesio"),
        pytest.param({"a": "b c"}, b"a=b+c", FORM, id="mapping"),
        pytest.param([("a", "b"), ("a", 1)], b"a=b&a=1", FORM, id="pairs"),
        pytest.param(MultiDict(a="b"), b"a=b", FORM, id="multidict"),
        pytest.param({}, b"", FORM, id="empty-form"),
        pytest.param([], b"", FORM, id="empty-list-is-an-empty-form"),
    ],
)
def test_body_in_memory_has_type_length_and_pieces(
    data: Any, body: bytes, content_type: str
) -> None:
    payload = make_payload(data)
    assert payload.body == body
    assert type(payload.body) is bytes
    assert payload.size == len(body)
    assert payload.content_type == content_type
    assert payload.replayable
    assert collect(payload) == ([body] if body else [])
    assert collect(payload) == ([body] if body else [])
    asyncio.run(payload.close())
    asyncio.run(payload.close())


def test_a_payload_is_taken_as_it_is() -> None:
    payload = make_payload(b"abc")
    assert make_payload(payload) is payload


@pytest.mark.parametrize("data", [5, None, object(), {1, 2}, (x for x in [b"a"])])
def test_what_cannot_be_sent_is_refused_with_what_is_allowed(data: Any) -> None:
    with pytest.raises(TypeError) as caught:
        make_payload(data)
    assert "bytes, str, a mapping or list of pairs, an open file" in str(caught.value)


def dumps_bytes(obj: Any) -> bytes:
    return json.dumps(obj, ensure_ascii=False).encode()


def dumps_text(obj: Any) -> str:
    return json.dumps(obj, ensure_ascii=False)


@pytest.mark.parametrize("dumps", [dumps_text, dumps_bytes])
def test_json_is_utf8_with_its_type(dumps: Callable[[Any], object]) -> None:
    payload = json_payload({"é": None}, dumps)
    body = '{"é": null}'.encode()
    assert (payload.body, payload.size) == (body, len(body))
    assert payload.content_type == "application/json"


def test_json_null_is_a_body() -> None:
    assert json_payload(None, json.dumps).body == b"null"


def test_json_serializer_that_gives_neither_str_nor_bytes_is_refused() -> None:
    with pytest.raises(TypeError, match="json serializer gave 5; allowed are str and"):
        json_payload({}, lambda obj: 5)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: Source(*[bytes(65536)] * 64), id="iterable"),
        pytest.param(lambda: io.BytesIO(bytes(4 << 20)), id="memory-file"),
    ],
)
def test_body_that_never_waits_lets_other_tasks_run(data: Callable[[], Any]) -> None:
    async def main() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in make_payload(data()).pieces():
            pass
        task.cancel()
        return turns

    assert asyncio.run(main()) >= 3


# --- the arguments of a request -----------------------------------------------------


def test_request_takes_data_or_json_but_not_both() -> None:
    assert request_payload(b"x", None, json.dumps).body == b"x"
    assert request_payload(None, [1], json.dumps).body == b"[1]"
    with pytest.raises(ValueError, match="can not be used at the same time"):
        request_payload(b"x", [1], json.dumps)


def test_compression_is_applied_once_and_not_to_nothing() -> None:
    payload = make_payload(b"x")
    packed = compressed(payload, True, None, [("X", "y")])
    assert packed.headers["Content-Encoding"] == "deflate"
    empty = make_payload(b"")
    assert compressed(empty, "gzip") is empty
    with pytest.raises(ValueError, match="compress can not be set"):
        compressed(payload, "gzip", {"content-encoding": "br"})
