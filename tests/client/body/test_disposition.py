"""Content-Disposition is written and read as RFC 6266, RFC 7578 and WHATWG say."""

from __future__ import annotations

import warnings
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings, strategies as st

from windtunnel._body.disposition import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    content_disposition_filename,
    content_disposition_header,
    parse_content_disposition,
)


@pytest.mark.parametrize(
    ("kind", "quote", "params", "expected"),
    [
        ("form-data", True, {}, "form-data"),
        ("form-data", True, {"name": "a b"}, 'form-data; name="a b"'),
        ("form-data", True, {"name": 'a"b\\c'}, 'form-data; name="a%22b\\c"'),
        ("form-data", True, {"name": "a\r\nb"}, 'form-data; name="a%0D%0Ab"'),
        ("form-data", True, {"name": "a%20b"}, 'form-data; name="a%20b"'),
        ("form-data", True, {"name": "имя"}, 'form-data; name="имя"'),
        (
            "form-data",
            True,
            {"name": "f", "filename": 'é".txt'},
            'form-data; name="f"; filename="é%22.txt"',
        ),
        ("form-data", False, {"name": 'a"b\\c é'}, 'form-data; name="a\\"b\\\\c é"'),
        ("attachment", True, {"filename": "a b.txt"}, 'attachment; filename="a b.txt"'),
        ("attachment", True, {"filename": 'a"\\b'}, 'attachment; filename="a\\"\\\\b"'),
        (
            "attachment",
            True,
            {"filename": "é .txt"},
            "attachment; filename*=utf-8''%C3%A9%20.txt",
        ),
        (
            "attachment",
            True,
            {"filename": "a\nb"},
            "attachment; filename*=utf-8''a%0Ab",
        ),
        ("attachment", False, {"filename": "é"}, 'attachment; filename="é"'),
    ],
)
def test_values_are_escaped_as_their_type_asks(
    kind: str, quote: bool, params: dict[str, str], expected: str
) -> None:
    assert content_disposition_header(kind, quote, params=params) == expected


def test_charset_of_an_extended_value_is_named() -> None:
    field = content_disposition_header("inline", True, "latin-1", {"filename": "é"})
    assert field == "inline; filename*=latin-1''%E9"


@pytest.mark.parametrize(
    ("kind", "quote", "params"),
    [
        ("a b", True, {}),
        ("", True, {}),
        ("form-data", True, {"a b": ""}),
        ("form-data", True, {"a": "\0"}),
        ("attachment", False, {"a": "x\r\ny"}),
    ],
)
def test_what_would_leave_the_header_is_refused(
    kind: str, quote: bool, params: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"not a token|control character"):
        content_disposition_header(kind, quote, params=params)


FIELDS = [
    'attachment; filename="a.txt"',
    "attachment",
    "attachment;",
    "",
    None,
    "form-data; name=\"x\"; filename*=utf-8''%e2%82%ac.txt",
    "attachment; filename=foo bar.txt",
    'attachment; filename*0="a"; filename*1="b"',
    '"x"',
    "attachment; a=b; a=c",
    'attachment; filename="a\\"b"',
    "attachment; filename=a;b",
    "attachment; =x",
    "attachment; filename*=x",
    'attachment; filename="C:\\foo\\b.txt"',
    'inline ; filename="é"',
    "attachment; filename='x y'",
    'attachment; filename="a;b"',
    "attachment; filename=\"é.txt\"; filename*=UTF-8'en'%41",
    "attachment; filename*=utf-8''%ff",
    'attachment; filename="abc',
    "attachment; filename*0*=iso-8859-1''%e9; filename*1*=%e9",
    'attachment; filename*1="b"',
    "attachment; filename=/a/b",
    'ATTACHMENT; FILENAME="x"',
    "attachment; filename*bad=x",
    'form-data; name="a%22b"',
    "attachment; filename*=nonsense''a",
    "attachment; filename*=\"utf-8''a\"",
]


def read(module: Any, field: str | None) -> tuple[Any, ...]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kind, params = module.parse_content_disposition(field)
    name = module.content_disposition_filename(params)
    return kind, params, name, [warning.category.__name__ for warning in caught]


class Ours:
    parse_content_disposition = staticmethod(parse_content_disposition)
    content_disposition_filename = staticmethod(content_disposition_filename)


@pytest.mark.parametrize("field", FIELDS)
def test_field_is_read_as_by_aiohttp(field: str | None) -> None:
    assert read(Ours, field) == read(aiohttp, field)


def test_continuations_are_decoded_together() -> None:
    params = {"filename*0*": "utf-8''%c3", "filename*1*": "%a9", "filename*2": " x"}
    assert content_disposition_filename(params) == "é x"
    assert content_disposition_filename({"filename*0*": "utf-8''%ff"}) is None
    assert content_disposition_filename({"filename*0*": "nonsense''%ff"}) is None
    assert content_disposition_filename({"name": "a"}, "name") == "a"


def test_warnings_say_what_was_wrong() -> None:
    with pytest.warns(BadContentDispositionHeader, match='"x"'):
        parse_content_disposition('"x"')
    with pytest.warns(BadContentDispositionParam, match="=x"):
        parse_content_disposition("attachment; =x")


@settings(derandomize=True, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_what_is_written_for_a_file_is_read_back(name: str) -> None:
    field = content_disposition_header("attachment", params={"filename": name})
    kind, params = parse_content_disposition(field)
    assert kind == "attachment"
    assert content_disposition_filename(params) == name


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=60))
def test_any_field_is_read_without_an_exception(field: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, params = parse_content_disposition(field)
        content_disposition_filename(params)
