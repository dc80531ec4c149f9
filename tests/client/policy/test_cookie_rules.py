"""The meaning of cookies: grammar, dates, domains, paths, prefixes."""

from __future__ import annotations

import email.utils
import string
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from windtunnel._policy.cookie_rules import (
    Place,
    breaks_prefix,
    default_path,
    domain_matches,
    expiry,
    parse_cookie_header,
    parse_date,
    parse_set_cookie,
    path_matches,
    place,
    unquote,
)


@pytest.mark.parametrize(
    ("field", "name", "value", "coded", "attributes"),
    [
        pytest.param("a=1", "a", "1", "1", {}, id="plain"),
        pytest.param("a=", "a", "", "", {}, id="empty-value"),
        pytest.param(" a =\t1 ", "a", "1", "1", {}, id="blanks"),
        pytest.param("a=b=c", "a", "b=c", "b=c", {}, id="equals-in-value"),
        pytest.param("a=b c,d", "a", "b c,d", "b c,d", {}, id="blank-and-comma"),
        pytest.param("path=1", "path", "1", "1", {}, id="name-of-an-attribute"),
        pytest.param('a="b c"', "a", "b c", '"b c"', {}, id="quoted"),
        pytest.param('a="b;c"', "a", "b;c", '"b;c"', {}, id="quoted-semicolon"),
        pytest.param(r'a="x\"y"', "a", 'x"y', r'"x\"y"', {}, id="escape"),
        pytest.param(r'a="x\073y"', "a", "x;y", r'"x\073y"', {}, id="octal"),
        pytest.param('a="', "a", '"', '"', {}, id="lone-quote"),
        pytest.param('a="b', "a", '"b', '"b', {}, id="open-quote"),
        pytest.param('a="b"c', "a", '"b"c', '"b"c', {}, id="quote-inside"),
        pytest.param("a=é", "a", "é", "é", {}, id="not-ascii"),
        pytest.param("a=1; Path=/x", "a", "1", "1", {"path": "/x"}, id="attribute"),
        pytest.param("a=1;PATH = /x", "a", "1", "1", {"path": "/x"}, id="case"),
        pytest.param(
            "a=1; path=/a; path=/b", "a", "1", "1", {"path": "/b"}, id="last-wins"
        ),
        pytest.param(
            "a=1; Secure=no; HttpOnly",
            "a",
            "1",
            "1",
            {"secure": True, "httponly": True},
            id="flags",
        ),
        pytest.param('a=1; path="/q"', "a", "1", "1", {"path": "/q"}, id="quoted-path"),
        pytest.param(
            'a=1; comment="x;y"; path=/z',
            "a",
            "1",
            "1",
            {"comment": "x;y", "path": "/z"},
            id="quoted-attribute",
        ),
        pytest.param("a=1; foo=bar; =x; ;", "a", "1", "1", {}, id="unknown"),
        pytest.param(
            f"a=1; path=/{'x' * 1024}", "a", "1", "1", {}, id="long-attribute"
        ),
        pytest.param(
            "a=1" + "; x=y" * 32 + "; path=/x", "a", "1", "1", {}, id="33rd-attribute"
        ),
        pytest.param("a=" + "v" * 4095, "a", "v" * 4095, "v" * 4095, {}, id="longest"),
    ],
)
def test_a_field_is_read(
    field: str, name: str, value: str, coded: str, attributes: dict[str, object]
) -> None:
    assert parse_set_cookie(field) == (name, value, coded, attributes)


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("", id="empty"),
        pytest.param("a", id="no-equals"),
        pytest.param("=v", id="no-name"),
        pytest.param("a b=1", id="blank-in-name"),
        pytest.param('a"=1', id="quote-in-name"),
        pytest.param("é=1", id="name-not-ascii"),
        pytest.param("a;b=1", id="equals-in-attribute"),
        pytest.param("a=\x01", id="control"),
        pytest.param("a=b\tc", id="tab"),
        pytest.param("a=1; path=/\x00", id="control-in-attribute"),
        pytest.param("a=\udcff", id="not-utf8"),
        pytest.param("a=" + "v" * 4096, id="too-long"),
        pytest.param("a=" + "é" * 2048, id="too-many-bytes"),
    ],
)
def test_a_field_that_is_no_cookie_is_ignored(field: str) -> None:
    assert parse_set_cookie(field) is None


@settings(derandomize=True, max_examples=200)
@given(st.text(alphabet='ab=;", \t\\\x01é01', max_size=30))
def test_any_text_is_read_or_ignored_and_what_is_read_can_be_sent(text: str) -> None:
    cookie = parse_set_cookie(text)
    if cookie is not None:
        sent = f"{cookie.name}={cookie.coded_value}"
        assert parse_cookie_header(sent) == [(cookie.name, cookie.coded_value)]
        assert unquote(cookie.coded_value) == cookie.value


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("a=1; b=2", [("a", "1"), ("b", "2")]),
        ('a="x;y"; b=2', [("a", '"x;y"'), ("b", "2")]),
        ("a; b=2;;", [("a", ""), ("b", "2")]),
        ("a b=1; \x01=2; c=\x02", []),
        ("", []),
    ],
)
def test_a_cookie_field_of_the_caller_is_read(
    value: str, pairs: list[tuple[str, str]]
) -> None:
    assert parse_cookie_header(value) == pairs


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]  # date and time only


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", at(2015, 10, 21, 7, 28), id="1"),
        pytest.param("Wed, 21-Oct-15 07:28:00 GMT", at(2015, 10, 21, 7, 28), id="850"),
        pytest.param("Wed Oct 21 07:28:00 2015", at(2015, 10, 21, 7, 28), id="asctime"),
        pytest.param("21 Oct 99 07:28:00", at(1999, 10, 21, 7, 28), id="year-99"),
        pytest.param("21 Oct 69 07:28:00", at(2069, 10, 21, 7, 28), id="year-69"),
        pytest.param("21 Oct 70 07:28:00", at(1970, 10, 21, 7, 28), id="year-70"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0.0, id="epoch"),
        pytest.param("1 JANUARY 1601 1:2:3", at(1601, 1, 1, 1, 2, 3), id="1601"),
        pytest.param("7:28:0 2015 Oct 21", at(2015, 10, 21, 7, 28), id="any-order"),
        pytest.param("31 Dec 1600 0:0:0", None, id="1600"),
        pytest.param("32 Oct 2015 07:28:00", None, id="day-32"),
        pytest.param("30 Feb 2015 07:28:00", None, id="30-february"),
        pytest.param("21 Oct 2015 24:00:00", None, id="hour-24"),
        pytest.param("21 Oct 2015 07:60:00", None, id="minute-60"),
        pytest.param("21 Oct 2015 07:00:60", None, id="second-60"),
        pytest.param("21 Okt 2015 07:28:00", None, id="no-month"),
        pytest.param("Oct 2015 07:28:00", None, id="no-day"),
        pytest.param("21 Oct 2015", None, id="no-time"),
        pytest.param("21 Oct 07:28:00", None, id="no-year"),
        pytest.param("", None, id="empty"),
        pytest.param("0", None, id="zero"),
    ],
)
def test_a_date_is_read_as_rfc6265_section_5_1_1(
    text: str, seconds: float | None
) -> None:
    assert parse_date(text) == seconds


@settings(derandomize=True, max_examples=100)
@given(st.integers(min_value=0, max_value=253402300799))
def test_a_date_as_http_writes_it_is_read_back(seconds: int) -> None:
    assert parse_date(email.utils.formatdate(seconds, usegmt=True)) == seconds


@pytest.mark.parametrize(
    ("max_age", "expires", "ends"),
    [
        pytest.param("", "", None, id="session"),
        pytest.param("5", "", 105.0, id="max-age"),
        pytest.param("5", "Thu, 01 Jan 1970 00:00:00 GMT", 105.0, id="max-age-wins"),
        pytest.param("0", "", 0.0, id="zero"),
        pytest.param("-1", "", 0.0, id="negative"),
        pytest.param("+5", "", 105.0, id="sign"),
        pytest.param("34560000", "", 34560100.0, id="400-days"),
        pytest.param("34560001", "", 34560100.0, id="over-400-days"),
        pytest.param("9" * 5000, "", 34560100.0, id="huge"),
        pytest.param("", "Sat, 05 Feb 1971 00:01:40 GMT", 34560100.0, id="expires-400"),
        pytest.param("", "Sat, 05 Feb 1971 00:01:41 GMT", 34560100.0, id="expires-401"),
        pytest.param("", "Wed, 31 Dec 1969 23:59:59 GMT", -1.0, id="before-1970"),
        pytest.param("x", "Thu, 01 Jan 1970 00:00:09 GMT", 9.0, id="garbage"),
        pytest.param("1.5", "", None, id="fraction"),
        pytest.param("", "soon", None, id="no-date"),
    ],
)
def test_the_end_of_a_cookie(max_age: str, expires: str, ends: float | None) -> None:
    assert expiry(max_age, expires, 100.0) == ends


@pytest.mark.parametrize(
    ("domain", "host", "expected"),
    [
        ("h.test", "h.test", True),
        ("h.test", "a.h.test", True),
        ("h.test", "ah.test", False),
        ("a.h.test", "h.test", False),
        ("2.3.4", "1.2.3.4", False),
        ("1.2.3.4", "1.2.3.4", True),
        ("1", "::1", False),
    ],
)
def test_a_host_matches_its_domains(domain: str, host: str, expected: bool) -> None:
    assert domain_matches(domain, host) is expected


@pytest.mark.parametrize(
    ("cookie_path", "path", "expected"),
    [
        ("/", "/", True),
        ("/", "/x", True),
        ("/x", "/x", True),
        ("/x", "/x/y", True),
        ("/x/", "/x/y", True),
        ("/x/", "/x", False),
        ("/x", "/xy", False),
        ("/x", "/", False),
    ],
)
def test_a_path_matches_at_its_slashes(
    cookie_path: str, path: str, expected: bool
) -> None:
    assert path_matches(cookie_path, path) is expected


@settings(derandomize=True, max_examples=100)
@given(st.text(alphabet=string.ascii_lowercase + "/", max_size=12))
def test_the_default_path_matches_the_path_it_comes_from(tail: str) -> None:
    assert path_matches(default_path(f"/{tail}"), f"/{tail}")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "/"), ("x", "/"), ("/", "/"), ("/x", "/"), ("/x/", "/x"), ("/x/y", "/x")],
)
def test_the_default_path_is_the_directory(path: str, expected: str) -> None:
    assert default_path(path) == expected


def is_public(domain: str) -> bool:
    return domain in {"test", "co.uk"}


@pytest.mark.parametrize(
    ("domain", "host", "expected"),
    [
        pytest.param("", "a.test", Place("a.test", "/", True), id="host-only"),
        pytest.param(".a.test", "a.test", Place("a.test", "/", False), id="dot"),
        pytest.param("A.Test", "x.a.test", Place("a.test", "/", False), id="case"),
        pytest.param("..a.test", "a.test", None, id="two-dots"),
        pytest.param("a.test.", "a.test", Place("a.test", "/", True), id="root"),
        pytest.param(".", "a.test", Place("a.test", "/", True), id="only-dot"),
        pytest.param("b.test", "a.test", None, id="sibling"),
        pytest.param("x.a.test", "a.test", None, id="deeper"),
        pytest.param("test", "a.test", None, id="public-suffix"),
        pytest.param("test", "test", Place("test", "/", True), id="suffix-itself"),
        pytest.param(
            "bücher.test",
            "www.xn--bcher-kva.test",
            Place("xn--bcher-kva.test", "/", False),
            id="idn",
        ),
        pytest.param("\u2028.test", "a.test", None, id="no-idn"),
        pytest.param("", "", Place("", "/", False), id="shared"),
        pytest.param("a.test", "", Place("a.test", "/", False), id="shared-in-domain"),
    ],
)
def test_where_a_cookie_belongs(domain: str, host: str, expected: Place | None) -> None:
    assert place(domain, "/", host, "/x", is_public) == expected


def test_a_path_that_is_none_is_that_of_the_url() -> None:
    assert place("", "x", "a.test", "/y/z") == Place("a.test", "/y", True)


HOST = Place("a.test", "/", True)


@pytest.mark.parametrize(
    ("name", "is_secure", "where", "has_path", "expected"),
    [
        ("a", False, HOST, False, False),
        ("__Secure-a", True, HOST, False, False),
        ("__secure-a", False, HOST, False, True),
        ("__Host-a", True, HOST, True, False),
        ("__Host-a", False, HOST, True, True),
        ("__Host-a", True, HOST, False, True),
        ("__HOST-a", True, Place("a.test", "/", False), True, True),
        ("__Host-a", True, Place("a.test", "/x", True), True, True),
    ],
)
def test_a_prefix_has_to_be_kept(
    name: str, is_secure: bool, where: Place, has_path: bool, expected: bool
) -> None:
    broken = breaks_prefix(name, is_secure=is_secure, place=where, has_path=has_path)
    assert broken is expected
