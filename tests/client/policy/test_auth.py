"""Basic credentials."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from yarl import URL

from windtunnel._policy.auth import (
    BasicAuth,
    checked_auth,
    effective_authorization,
    encode_basic_auth,
)


def basic(*args: Any) -> BasicAuth:
    with pytest.warns(DeprecationWarning, match="encode_basic_auth"):
        return BasicAuth(*args)


def test_the_value_of_rfc7617_section_2() -> None:
    expected = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert encode_basic_auth("Aladdin", "open sesame") == expected
    assert basic("Aladdin", "open sesame").encode() == expected


def test_the_value_of_rfc7617_section_2_1() -> None:
    assert encode_basic_auth("test", "123£") == "Basic dGVzdDoxMjPCow=="


def test_the_old_way_is_latin_1() -> None:
    assert basic("test", "£").encode() == encode_basic_auth("test", "£", "latin1")
    assert basic("test", "£", "utf-8").encode() == encode_basic_auth("test", "£")


def test_what_latin_1_lacks_is_an_error() -> None:
    with pytest.raises(UnicodeEncodeError):
        basic("test", "€").encode()


def test_it_is_a_named_tuple() -> None:
    assert basic("a") == ("a", "", "latin1")
    assert basic("a", "b").password == "b"


@pytest.mark.parametrize("args", [("a:b",), (None,), ("a", None)])
def test_a_login_is_without_colon_and_nothing_is_none(args: Any) -> None:
    with (
        pytest.warns(DeprecationWarning, match="encode_basic_auth"),
        pytest.raises(ValueError, match="not allowed"),
    ):
        BasicAuth(*args)


def test_a_colon_in_the_login_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="not allowed in login"):
        encode_basic_auth("a:b", "c")


@pytest.mark.parametrize(
    "field", ["Basic YTpiOmM=", "basic YTpiOmM=", "  BASIC   YTpiOmM=  "]
)
def test_a_field_is_read_back_without_a_warning(field: str) -> None:
    assert BasicAuth.decode(field) == ("a", "b:c", "latin1")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("Bearer x", "'Bearer' is not 'Basic'"),
        ("", "is not 'Basic'"),
        ("Basic ?", "not Base64"),
        ("Basic é", "not Base64"),
        ("Basic YQ==", "no colon"),
    ],
)
def test_a_field_that_is_not_basic_is_an_error(field: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        BasicAuth.decode(field)


def test_bytes_that_are_no_text_are_an_error() -> None:
    with pytest.raises(ValueError, match="utf-8 text"):
        BasicAuth.decode("Basic /zph", "utf-8")


@settings(derandomize=True, max_examples=50)
@given(st.text().filter(lambda text: ":" not in text), st.text())
def test_credentials_come_back_as_they_went(login: str, password: str) -> None:
    try:
        field = encode_basic_auth(login, password)
    except UnicodeEncodeError:
        return
    assert BasicAuth.decode(field, "utf-8")[:2] == (login, password)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a:b@c.test", ("a", "b", "latin1")),
        ("http://a@c.test", ("a", "", "latin1")),
        ("http://:b@c.test", ("", "b", "latin1")),
        ("http://%61:%62@c.test", ("a", "b", "latin1")),
        ("http://c.test", None),
    ],
)
def test_a_url_has_credentials(url: str, expected: tuple[str, ...] | None) -> None:
    assert BasicAuth.from_url(URL(url)) == expected


def test_only_a_url_has_them() -> None:
    text: Any = "http://a:b@c.test"
    with pytest.raises(TypeError, match=r"not a yarl\.URL"):
        BasicAuth.from_url(text)


def test_an_argument_is_credentials_or_nothing() -> None:
    assert checked_auth(None, "auth") is None
    given_auth = basic("a")
    assert checked_auth(given_auth, "auth") is given_auth
    with pytest.raises(TypeError, match="is a tuple, not a BasicAuth"):
        checked_auth(("a", "b"), "auth")


@pytest.mark.parametrize(
    ("argument", "from_url", "of_session", "expected"),
    [
        pytest.param(True, "", "session", "Basic YTo=", id="argument"),
        pytest.param(False, "url", "session", "url", id="url"),
        pytest.param(False, "", "session", "session", id="session"),
        pytest.param(False, "", "", "", id="none"),
    ],
)
def test_the_nearest_credentials_win(
    argument: bool, from_url: str, of_session: str, expected: str
) -> None:
    auth = basic("a") if argument else None
    assert effective_authorization(auth, from_url, of_session, False) == expected


def test_two_credentials_of_one_call_are_an_error() -> None:
    with pytest.raises(ValueError, match="encoded in URL"):
        effective_authorization(basic("a"), "url", "", False)
    with pytest.raises(ValueError, match="AUTHORIZATION header"):
        effective_authorization(None, "", "session", True)


def test_the_field_alone_is_no_error() -> None:
    assert effective_authorization(None, "", "", True) == ""
