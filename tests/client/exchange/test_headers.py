"""The header block: what may be in it, and what it becomes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from multidict import CIMultiDict

from windtunnel._exchange.headers import (
    AUTOMATIC,
    HeaderBlock,
    checked_coding,
    checked_length,
    checked_method,
    merge_headers,
)

profile = settings(max_examples=150, derandomize=True, deadline=None, database=None)
NOTHING: frozenset[str] = frozenset()
ALL_AUTOMATIC = frozenset(name.lower() for name, _ in AUTOMATIC)


def block(*fields: tuple[str, str], skip: frozenset[str] = NOTHING) -> HeaderBlock:
    return HeaderBlock(CIMultiDict(fields), skip)


def test_the_callers_fields_come_first_and_automatic_ones_after_them() -> None:
    made = block(("X", "1"), ("accept", "a/b"), ("x", "2"))
    assert made.text.split("\r\n")[:3] == ["X: 1", "accept: a/b", "x: 2"]
    assert made.text.endswith("\r\n")
    assert "Accept: */*" not in made.text
    assert "\r\nUser-Agent: " in made.text
    assert made.names == {"x", "accept"}
    assert (made.host, made.closes, made.content_length) == (None, False, None)


def test_host_has_a_place_of_its_own() -> None:
    made = block(("HOST", "b.test"), ("Hosts", "c"))
    assert made.host == "b.test"
    assert made.text.startswith("Hosts: c\r\n")
    assert "b.test" not in made.text


def test_automatic_fields_can_be_left_out() -> None:
    made = block(skip=ALL_AUTOMATIC)
    assert made.text == ""
    assert made.names == ALL_AUTOMATIC


@pytest.mark.parametrize(
    ("values", "closes"),
    [
        (["close"], True),
        (["keep-alive, Close"], True),
        (["a", "close"], True),
        (["keep-alive"], False),
        ([], False),
    ],
    ids=["close", "list", "second-field", "keep-alive", "none"],
)
def test_a_request_may_ask_for_the_end_of_its_connection(
    values: list[str], closes: bool
) -> None:
    assert block(*[("Connection", value) for value in values]).closes is closes


names = st.text(st.sampled_from("aZ09-_!#$%&'*+.^`|~:; \t\r\n\0(){}é\x7f"), max_size=4)
values = st.text(
    st.sampled_from("a \t\r\n\0\x01\x1f\x7f\x85é\u010a\u2028:;"), max_size=5
)


@profile
@given(st.lists(st.tuples(names, values), max_size=3))
def test_any_field_is_one_line_or_refused(fields: list[tuple[str, str]]) -> None:
    try:
        made = HeaderBlock(CIMultiDict(fields), ALL_AUTOMATIC)
    except ValueError:
        return
    lines = made.text.encode().split(b"\r\n")
    assert lines.pop() == b""
    assert [line.decode() for line in lines] == [f"{n}: {v}" for n, v in fields]
    for line in lines:
        assert not any((byte < 0x20 and byte != 9) or byte == 0x7F for byte in line)


@pytest.mark.parametrize("value", [None, 5, b"x"], ids=["none", "int", "bytes"])
def test_a_value_that_is_no_text_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match=r"of header 'X' is a .*, not a str"):
        block(("X", value))


def test_a_requests_fields_replace_the_defaults_of_their_name() -> None:
    defaults: CIMultiDict[str] = CIMultiDict([("A", "1"), ("B", "2"), ("a", "3")])
    assert merge_headers(defaults, None) == defaults
    given_pairs = [("a", "4"), ("C", "5"), ("A", "6")]
    merged = merge_headers(defaults, given_pairs)
    assert merged.getall("A") == ["4", "6"]
    assert (merged["B"], merged["C"]) == ("2", "5")
    assert merge_headers(defaults, {"b": "7"}).getall("B") == ["7"]
    assert defaults.getall("A") == ["1", "3"]


@pytest.mark.parametrize(
    ("method", "sent"),
    [("get", "GET"), ("Post", "POST"), ("PURGE", "PURGE"), ("purge", "purge")],
)
def test_standard_methods_are_in_upper_case_and_others_as_given(
    method: str, sent: str
) -> None:
    assert checked_method(method) == sent


@pytest.mark.parametrize("method", ["", "GET ", "G\r\nT", "GÉT", "a/b"])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="is not a token"):
        checked_method(method)


@pytest.mark.parametrize(
    ("given_values", "length"),
    [([], None), (["5"], 5), ([" 5\t", "5"], 5), (["005"], 5)],
    ids=["none", "one", "equal", "zeros"],
)
def test_the_callers_length_is_a_number(
    given_values: list[str], length: int | None
) -> None:
    assert checked_length(given_values) == length


@pytest.mark.parametrize(
    "given_values", [[""], ["5", "6"], ["+5"], ["5,5"], ["\u0665"], ["-1"], ["0x5"]]
)
def test_a_length_that_is_no_number_of_digits_is_refused(
    given_values: list[str],
) -> None:
    with pytest.raises(ValueError, match="is not one number of digits"):
        checked_length(given_values)


def test_the_only_coding_that_can_be_asked_for_is_chunked() -> None:
    assert checked_coding([]) is False
    assert checked_coding([" Chunked"]) is True
    for values_of_field in (["gzip"], ["gzip, chunked"], ["chunked", "chunked"], [""]):
        with pytest.raises(ValueError, match="allowed is 'chunked'"):
            checked_coding(values_of_field)
    with pytest.raises(ValueError, match="allowed is one"):
        block(("Transfer-Encoding", "chunked"), ("Content-Length", "1"))
