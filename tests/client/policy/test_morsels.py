"""Cookies as objects of http.cookies."""

from __future__ import annotations

from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any

import pytest

from windtunnel._policy.morsels import (
    from_caller,
    from_cookie_header,
    from_set_cookie,
    header_value,
    response_cookies,
    to_send,
)


def test_a_response_has_fifty_cookies_at_most() -> None:
    found = from_set_cookie(["bad"] + [f"a{n}=1" for n in range(60)])
    assert [each.key for each in found] == [f"a{n}" for n in range(50)]


def test_the_last_cookie_of_a_name_is_that_of_the_response() -> None:
    cookies = response_cookies(["a=1; path=/x", 'a="2"; Secure', "path=3"])
    assert cookies["a"].value == "2"
    assert cookies["a"].coded_value == '"2"'
    assert cookies["a"]["path"] == ""
    assert cookies["a"]["secure"] is True
    assert cookies["path"].value == "3"


def test_attributes_that_this_python_does_not_know_are_left_out() -> None:
    (found,) = from_set_cookie(["a=1; Partitioned; Path=/x"])
    assert found["path"] == "/x"


def test_a_callers_morsel_is_copied() -> None:
    mine: Morsel[str] = Morsel()
    mine.set("a", "1", "1")
    (made,) = from_caller({"a": mine})
    made["path"] = "/x"
    assert mine["path"] == ""


@pytest.mark.parametrize(
    "cookies",
    [
        {"a": "b c", "n": 5},
        [("a", "b c"), ("n", 5)],
        SimpleCookie('a="b c"; n=5'),
    ],
)
def test_callers_give_cookies_in_several_forms(cookies: Any) -> None:
    made = from_caller(cookies)
    assert [(each.key, each.coded_value) for each in made] == [
        ("a", '"b c"'),
        ("n", "5"),
    ]


@pytest.mark.parametrize("name", ["", "a b", "a;b", "path", "é"])
def test_a_callers_name_has_to_be_one(name: str) -> None:
    with pytest.raises(CookieError):
        from_caller({name: "1"})


def test_a_callers_value_cannot_start_a_header() -> None:
    with pytest.raises(ValueError, match="control character"):
        from_caller({"a": "b\r\nX: 1"})


@pytest.mark.parametrize(
    ("field", "quoted", "raw"),
    [
        ('a="b c"', '"b c"', "b c"),
        ("a=b c", '"b c"', "b c"),
        ("a=q=1", '"q=1"', "q=1"),
        ("a=b,c", r'"b\054c"', "b,c"),
        ('a="bc"', '"bc"', "bc"),
        ("a=bc", "bc", "bc"),
        ("a=", '""', ""),
    ],
)
def test_a_cookie_is_spelled_for_a_request(field: str, quoted: str, raw: str) -> None:
    (cookie,) = from_set_cookie([field + "; path=/"])
    assert to_send(cookie, quotes=True).coded_value == quoted
    assert to_send(cookie, quotes=False).coded_value == raw
    assert to_send(cookie, quotes=False)["path"] == ""


def test_a_field_is_sorted_by_name() -> None:
    cookies = {each.key: each for each in from_cookie_header('b=1; a="x;y"; c')}
    assert header_value(cookies) == 'a="x;y"; b=1; c='
    assert cookies["a"].value == "x;y"
