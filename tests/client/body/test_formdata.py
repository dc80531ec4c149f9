"""Forms are sent urlencoded, or multipart if a field needs that."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from multidict import MultiDict, MultiDictProxy

from windtunnel._body.formdata import FormData
from windtunnel._body.payload_memory import BytesPayload
from windtunnel._body.payloads import make_payload

if TYPE_CHECKING:
    from pathlib import Path

FORM = "application/x-www-form-urlencoded"


def sent(payload: Any) -> bytes:
    """The body, with "B" as boundary."""
    body: bytes = asyncio.run(payload.as_bytes())
    boundary = getattr(payload, "boundary", None)
    return body if boundary is None else body.replace(boundary.encode(), b"B")


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ((), b""),
        ({"a": 1}, b"a=1"),
        ([("a", 1), ("a", "2")], b"a=1&a=2"),
        ((("a", 1.5),), b"a=1.5"),
        (MultiDict([("a", "1"), ("a", "2")]), b"a=1&a=2"),
        (MultiDictProxy(MultiDict(a="1")), b"a=1"),
        ([MultiDict(a="1")], b"a=1"),
        ({"a": ["1", 2], "b": ()}, b"a=1&a=2"),
        ({"é": "é ="}, b"%C3%A9=%C3%A9+%3D"),
    ],
)
def test_plain_fields_are_urlencoded_like_those_of_aiohttp(
    fields: Any, body: bytes
) -> None:
    form = FormData(fields)
    assert not form.is_multipart
    payload = form()
    assert payload.content_type == FORM
    assert (payload.body, payload.size) == (body, len(body))
    assert sent(aiohttp.FormData(fields)()) == body


def test_mixed_fields_keep_their_order() -> None:
    assert FormData([MultiDict(a="1"), ("b", "2")])().body == b"a=1&b=2"


def test_another_charset_is_named() -> None:
    payload = FormData({"é": "ü"}, charset="latin-1")()
    assert payload.body == b"%E9=%FC"
    assert payload.content_type == f"{FORM}; charset=latin-1"
    form = FormData(charset="latin-1", default_to_multipart=True)
    form.add_field("é", "ü")
    assert sent(form()) == (
        b"--B\r\nContent-Type: text/plain; charset=latin-1\r\n"
        b'Content-Disposition: form-data; name="\xc3\xa9"\r\n\r\n\xfc\r\n--B--\r\n'
    )


@pytest.mark.parametrize(
    ("options", "value", "lines"),
    [
        pytest.param({}, io.BytesIO(b"v"), 'f"; filename="f"', id="buffer"),
        pytest.param({"filename": "x"}, b"v", 'f"; filename="x"', id="filename"),
        pytest.param(
            {"filename": "x"}, io.BytesIO(b"v"), 'f"; filename="x"', id="both"
        ),
        pytest.param({"content_type": "a/b"}, "v", 'f"', id="type"),
    ],
)
def test_field_with_a_file_or_a_type_makes_the_form_multipart(
    options: Any, value: Any, lines: str
) -> None:
    form = FormData()
    form.add_field("f", value, **options)
    assert form.is_multipart
    kind = options.get("content_type", "application/octet-stream")
    payload = form()
    assert (
        sent(payload)
        == (
            f"--B\r\nContent-Type: {kind}\r\n"
            f'Content-Disposition: form-data; name="{lines}\r\n\r\nv\r\n--B--\r\n'
        ).encode()
    )
    assert payload.content_type.startswith("multipart/form-data; boundary=")


def test_file_is_a_part_with_its_name_and_type(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_bytes(b"{}")
    for form in (FormData, aiohttp.FormData):
        with path.open("rb") as file:
            payload = form([("a", "b"), file])()
            assert sent(payload) == (
                b"--B\r\nContent-Type: text/plain; charset=utf-8\r\n"
                b'Content-Disposition: form-data; name="a"\r\n\r\nb\r\n'
                b"--B\r\nContent-Type: application/json\r\n"
                b'Content-Disposition: form-data; name="f.json"; filename="f.json"'
                b"\r\n\r\n{}\r\n--B--\r\n"
            )
    with path.open("rb") as file:
        assert sent(FormData(file)()).count(b'name="f.json"') == 2
    assert b'name="unknown"; filename="unknown"' in sent(FormData(io.BytesIO())())


def test_bytes_become_a_file_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="passing bytes will no longer"):
        payload = make_payload({"a": b"x"})
    assert payload.body is not None
    assert b'name="a"; filename="a"\r\n\r\nx' in payload.body
    form = FormData()
    with pytest.warns(DeprecationWarning, match="content_transfer_encoding"):
        form.add_field("a", "v", content_transfer_encoding="base64")
    assert form.is_multipart
    assert b"Encoding" not in sent(form())


def test_names_are_escaped_as_browsers_do() -> None:
    form = FormData(default_to_multipart=True)
    form.add_field('имя "1"\r\n', "v")
    form.add_field("f", b"", filename='файл ".txt')
    body = sent(form()).decode()
    assert 'name="имя %221%22%0D%0A"\r\n' in body
    assert 'filename="файл %22.txt"\r\n' in body


def test_unquoted_names_are_those_of_aiohttp() -> None:
    bodies: list[bytes] = []
    for make in (FormData, aiohttp.FormData):
        form = make(quote_fields=False)
        form.add_field('a"b\\c é', "v", filename='q"é.txt')
        bodies.append(sent(form()))
    assert bodies[0] == bodies[1]


def test_payload_can_be_a_field() -> None:
    form = FormData(default_to_multipart=True)
    form.add_field("a", BytesPayload(b"x", content_type="a/b"))
    assert (
        b'Content-Type: a/b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'
        in (sent(form()))
    )


def test_same_form_gives_the_same_body_until_a_field_is_added() -> None:
    form = FormData({"a": io.BytesIO(b"1")})
    first = form()
    assert form() is first
    assert sent(first) == sent(first)
    form.add_field("b", "2")
    assert form() is not first


@pytest.mark.parametrize(
    ("fields", "error", "match"),
    [
        ("x", TypeError, "form field 'x' of type str is not a pair"),
        (5, TypeError, "form field 5 of type int"),
        ([1], TypeError, "form field 1"),
        ([("a",)], ValueError, "1 parts"),
        ([("a", "b", "c")], ValueError, "3 parts"),
        ({1: 2}, TypeError, "name must be an instance of str. Got: 1"),
    ],
)
def test_what_is_no_field_is_refused(
    fields: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        FormData(fields)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"filename": "a\r\nb"}, ValueError),
        ({"content_type": "a\nb"}, ValueError),
        ({"content_transfer_encoding": "a\0"}, ValueError),
        ({"filename": 5}, TypeError),
        ({"content_type": 5}, TypeError),
        ({"content_transfer_encoding": 5}, TypeError),
    ],
)
def test_wrong_options_of_a_field_are_refused(
    options: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"must be an instance of str|control character"):
        FormData().add_field("a", "v", **options)


@pytest.mark.parametrize("value", [5, None, [1], {"a": 1}])
def test_value_that_cannot_be_a_part_is_refused(value: Any) -> None:
    form = FormData(default_to_multipart=True)
    form.add_field("a", value)
    with pytest.raises(TypeError, match=r"form field 'a' .* cannot be a part"):
        form()


def test_form_is_data() -> None:
    payload = make_payload(FormData({"a": "b"}))
    assert payload.body == b"a=b"


def test_value_that_says_nothing_is_refused_urlencoded() -> None:
    with pytest.raises(TypeError, match="value of form field 'a' None"):
        FormData({"a": None})()
