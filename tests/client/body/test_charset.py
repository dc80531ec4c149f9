"""Media types, charset labels and JSON text are read as their documents say."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from windtunnel._body.charset import (
    MediaType,
    declared_encoding,
    is_expected_type,
    json_text,
    parse_content_type,
    usable_charset,
)

OCTETS = "application/octet-stream"


@pytest.mark.parametrize(
    ("value", "name", "charset"),
    [
        pytest.param(None, OCTETS, None, id="missing"),
        pytest.param("", OCTETS, None, id="empty"),
        pytest.param("text/html", "text/html", None, id="plain"),
        pytest.param(" Text/HTML ;charset=UTF-8", "text/html", "UTF-8", id="any-case"),
        pytest.param('text/html; Charset="utf-8"', "text/html", "utf-8", id="quoted"),
        pytest.param(r'text/html; charset="ut\f-8"', "text/html", "utf-8", id="pair"),
        pytest.param(
            "text/html; charset='utf-8'", "text/html", "utf-8", id="apostrophes"
        ),
        pytest.param(
            "text/html; charset=a; charset=b", "text/html", "a", id="first-one-wins"
        ),
        pytest.param(
            't/x; a="b;charset=c"; charset=d', "t/x", "d", id="quoted-semicolon"
        ),
        pytest.param("t/x;;; a ; charset = d", "t/x", "d", id="rubbish-is-skipped"),
        pytest.param("t/x; charset=", "t/x", None, id="no-value"),
        pytest.param('t/x; charset="a" b; c', "t/x", "a", id="rubbish-after-the-quote"),
        pytest.param("t/x; charset", "t/x", None, id="no-equals-sign"),
        pytest.param("text", OCTETS, None, id="no-slash"),
        pytest.param("text html; charset=a", OCTETS, "a", id="bad-type-good-charset"),
        pytest.param("text/", OCTETS, None, id="no-subtype"),
        pytest.param(
            "application/problem+json", "application/problem+json", None, id="+"
        ),
    ],
)
def test_content_type_is_read(
    value: str | None, name: str, charset: str | None
) -> None:
    assert parse_content_type(value) == MediaType(name, charset)


@given(st.text(alphabet="a/;= \t\"\\charset,'é\0", max_size=40))
def test_no_field_value_breaks_the_reader(value: str) -> None:
    name, _ = parse_content_type(value)
    assert name == name.lower()
    assert name.count("/") >= 1


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("utf-8", "utf-8"),
        ("UTF8", "utf-8"),
        ("latin-1", "iso8859-1"),
        ("windows-1251", "cp1251"),
        ("Shift_JIS", "shift_jis"),
        (None, None),
        ("", None),
        ("no-such-charset", None),
        ("hex", None),
        ("base64", None),
        ("rot13", None),
        ("undefined", None),
        ("idna", None),
        ("punycode", None),
        ("unicode_escape", None),
        ("raw-unicode-escape", None),
        ("a\0b", None),
        ("é" * 200, None),
    ],
)
def test_only_labels_of_character_encodings_are_used(
    label: str | None, codec: str | None
) -> None:
    assert usable_charset(label) == codec


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        ("text/html; charset=latin-1", "iso8859-1"),
        ("text/html", None),
        ("text/html; charset=nope", None),
        ("application/json", "utf-8"),
        ("application/json; charset=nope", "utf-8"),
        ("application/rdap+json", "utf-8"),
        ("application/json; charset=latin-1", "iso8859-1"),
    ],
)
def test_declared_encoding_is_the_label_or_that_of_the_type(
    value: str, encoding: str | None
) -> None:
    assert declared_encoding(parse_content_type(value)) == encoding


@pytest.mark.parametrize(
    ("name", "expected", "fits"),
    [
        ("application/json", "application/json", True),
        ("application/vnd.api+json", "application/json", True),
        ("application/problem+json", "application/json", True),
        ("application/json-seq", "application/json", True),
        ("application/xml", "application/json", False),
        ("text/json", "application/json", False),
        ("text/html", "text/html", True),
        ("text/html", "html", True),
        ("text/html", "Text/HTML", True),
        ("text/html", None, True),
        ("text/html", "", True),
        ("text/html", "text/plain", False),
    ],
)
def test_expected_type_is_compared_as_callers_know_it(
    name: str, expected: str | None, fits: bool
) -> None:
    assert is_expected_type(name, expected) is fits


@pytest.mark.parametrize(
    ("body", "encoding", "text"),
    [
        pytest.param('"é"'.encode(), "utf-8", '"é"', id="utf-8"),
        pytest.param('"é"'.encode(), "latin-1", '"é"', id="wrong-label"),
        pytest.param('"é"'.encode("latin-1"), "latin-1", '"é"', id="true-label"),
        pytest.param(b"\xef\xbb\xbf{}", "utf-8", "{}", id="byte-order-mark"),
    ],
)
def test_json_is_utf8_unless_it_cannot_be(
    body: bytes, encoding: str, text: str
) -> None:
    assert json_text(body, encoding) == text


def test_json_that_is_neither_utf8_nor_as_labelled_is_an_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        json_text(b'"\xe9"', "ascii")
