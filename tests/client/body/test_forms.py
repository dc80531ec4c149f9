"""Form fields are encoded as the WHATWG URL standard says."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, strategies as st
from multidict import MultiDict, MultiDictProxy

from windtunnel._body.forms import encode_form, form_pairs


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param({}, b"", id="empty"),
        pytest.param({"a": "1", "b": "2"}, b"a=1&b=2", id="order-is-kept"),
        pytest.param([("a", "1"), ("a", "2")], b"a=1&a=2", id="pairs-repeat"),
        pytest.param((["a", "1"],), b"a=1", id="tuple-of-lists"),
        pytest.param(MultiDict([("a", "1"), ("a", "2")]), b"a=1&a=2", id="multidict"),
        pytest.param(
            MultiDictProxy(MultiDict([("a", "1"), ("a", "2")])), b"a=1&a=2", id="proxy"
        ),
        pytest.param({"a": [1, "x"], "b": (2,)}, b"a=1&a=x&b=2", id="list-repeats"),
        pytest.param({"a": []}, b"", id="empty-list-is-no-field"),
        pytest.param({"a b": "c d"}, b"a+b=c+d", id="space-is-plus"),
        pytest.param({"a": "+&=%"}, b"a=%2B%26%3D%25", id="separators"),
        pytest.param({"a": "*-._~'()!"}, b"a=*-._%7E%27%28%29%21", id="marks"),
        pytest.param({"a": "l1\nl2\r\n"}, b"a=l1%0Al2%0D%0A", id="line-ends-stay"),
        pytest.param(
            {"Ключ": "é€"}, b"%D0%9A%D0%BB%D1%8E%D1%87=%C3%A9%E2%82%AC", id="utf8"
        ),
        pytest.param({"": "", "a": ""}, b"=&a=", id="empty-name-and-value"),
        pytest.param({"a": 1, "b": 2.5, "c": True}, b"a=1&b=2.5&c=True", id="numbers"),
        pytest.param(
            {"a": Decimal("1.10"), "d": datetime.date(2024, 1, 2)},
            b"a=1.10&d=2024-01-02",
            id="other-single-values",
        ),
    ],
)
def test_fields_are_urlencoded(data: Any, expected: bytes) -> None:
    assert encode_form(form_pairs(data)) == expected


@given(st.lists(st.tuples(st.text(), st.text())))
def test_another_decoder_reads_what_was_encoded(pairs: list[tuple[str, str]]) -> None:
    clean = [
        (
            name.encode("utf-8", "replace").decode(),
            value.encode("utf-8", "replace").decode(),
        )
        for name, value in pairs
    ]
    encoded = encode_form(clean)
    assert parse_qsl(encoded.decode("ascii"), keep_blank_values=True) == clean


def test_another_charset_is_percent_encoded() -> None:
    assert encode_form([("é", "ü")], "latin-1") == b"%E9=%FC"
    with pytest.raises(UnicodeEncodeError):
        encode_form([("€", "")], "latin-1")


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        pytest.param(5, TypeError, "no mapping and no list of pairs", id="int"),
        pytest.param({"a": None}, TypeError, "value of form field 'a' None", id="none"),
        pytest.param(
            {"a": b"x"}, TypeError, "value of form field 'a' b'x'", id="bytes"
        ),
        pytest.param({"a": {"b": 1}}, TypeError, "of type dict", id="nested-mapping"),
        pytest.param({"a": [[1]]}, TypeError, "of type list", id="list-in-list"),
        pytest.param([("a", [1])], TypeError, "of type list", id="list-in-pair"),
        pytest.param({"a": io.BytesIO()}, TypeError, "of type BytesIO", id="file"),
        pytest.param({1: "x"}, TypeError, "name of form field 0 1", id="int-name"),
        pytest.param(["ab"], TypeError, "field 0 'ab' of type str is not a", id="str"),
        pytest.param(
            [("a", "b"), ("c",)], ValueError, "field 1 .* 1 parts", id="single"
        ),
        pytest.param([("a", "b", "c")], ValueError, "field 0 .* 3 parts", id="triple"),
    ],
)
def test_field_that_cannot_be_encoded_is_refused_with_its_place(
    data: Any, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        form_pairs(data)
