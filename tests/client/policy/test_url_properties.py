"""URLs of any kind: what is asked for is what was meant, or the call says no."""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qsl, urljoin

from hypothesis import assume, given, settings, strategies as st
from yarl import URL

from windtunnel._exchange.target import Target
from windtunnel._policy.url import build_url, make_base_url
from windtunnel.errors import InvalidURL

profile = settings(max_examples=150, derandomize=True, deadline=None, database=None)

# Everything that means something in a URL, and some that must not be in one.
SIGNS = "aZ9-._~:/?#[]@!$&'()*+,;=%2f \t\r\n\0\x7f\\^|<>\"`{}é\u010aß中\U0001f600\ud800"
texts = st.text(st.sampled_from(SIGNS), max_size=20)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
# Without empty parts, which urllib drops although RFC 3986 section 5.2.4 does not.
parts = st.text(st.sampled_from("ab.-"), min_size=1, max_size=3)
paths = st.lists(parts, max_size=4).map("/".join)


def target_of(line_end: str) -> str:
    """Take the request target out of the end of a request line."""
    match = re.fullmatch(r" ([^\x00-\x20\x7f]+) HTTP/1\.1\r\n", line_end)
    assert match is not None
    return match[1]


@profile
@given(st.sampled_from(["", "http://", "http://h", "http://h/", "https://u@"]), texts)
def test_any_text_is_a_target_and_a_host_in_their_places_or_an_invalid_url(
    start: str, text: str
) -> None:
    try:
        url = build_url(None, start + text)
        target = Target(url)
    except (InvalidURL, UnicodeEncodeError):
        return
    asked = target_of(target.line_end)
    assert asked.startswith(("/", "?"))
    assert "#" not in asked
    assert re.fullmatch(r"[!-~]+", target.host_field)
    assert "@" not in target.host_field
    host = target.host_field.removesuffix(f":{target.port}").strip("[]")
    # The dot at the end, the root of the DNS, is for the look-up only.
    assert host == target.host.rstrip(".")


@profile
@given(texts, texts)
def test_a_url_that_is_written_out_and_read_again_is_the_same(
    path: str, query: str
) -> None:
    try:
        url = build_url(None, f"http://h.test/{path}?{query}")
    except (InvalidURL, UnicodeEncodeError):
        return
    again = build_url(None, str(url))
    assert again == url
    assert Target(again).line_end == Target(url).line_end


@profile
@given(
    st.lists(st.tuples(words, words), max_size=3),
    st.lists(st.tuples(words.filter(bool), words | st.integers()), max_size=3),
)
def test_params_come_after_the_query_that_is_there_and_mean_what_they_meant(
    there: list[tuple[str, str]], params: list[tuple[str, str | int]]
) -> None:
    base = URL("http://h.test/").with_query(there)
    url = build_url(None, str(base), params)
    expected = there + [(name, str(value)) for name, value in params]
    _, _, query = target_of(Target(url).line_end).partition("?")
    assert parse_qsl(query, keep_blank_values=True) == expected
    assert list(url.query.items()) == expected


@profile
@given(st.sampled_from(["", "a/", "a/b/"]), paths, st.sampled_from(["", "/"]))
def test_a_path_is_joined_to_the_base_url_as_rfc3986_says(
    base: str, path: str, root: str
) -> None:
    text = f"http://h.test/{base}"
    url = build_url(make_base_url(text), root + path)
    assert url == URL(urljoin(text, root + path))
    assert url.host == "h.test"


@profile
@given(
    st.text(st.sampled_from("abcéüßñ中文\u0436\u05d0\u0e01"), min_size=1, max_size=12)
)
def test_a_host_in_any_script_is_asked_for_by_its_a_label(label: str) -> None:
    try:
        url = build_url(None, f"http://{label}.test:8080/")
    except InvalidURL:
        # Over 63 characters as an A-label.
        return
    target = Target(url)
    assert target.host_field == f"{target.host}:8080"
    assert re.fullmatch(r"[a-z0-9-]+\.test", target.host)
    assert Target(build_url(None, f"http://{target.host}:8080/")).host == target.host
    if label.isascii():
        assert target.host == f"{label}.test"
    else:
        assert target.host.startswith("xn--") or target.host.isascii()


@profile
@given(words, words)
def test_credentials_are_sent_in_authorization_and_nowhere_else(
    user: str, password: str
) -> None:
    assume(user or password)
    url = URL("http://h.test/x").with_user(user or None).with_password(password)
    try:
        target = Target(build_url(None, url))
    except ValueError:
        assert any(ord(char) > 255 for char in user + password)
        return
    assert target.real_url.raw_user is None
    assert target.real_url.raw_password is None
    assert target.host_field == "h.test"
    encoded = target.authorization.removeprefix("Basic ")
    assert base64.b64decode(encoded).decode("latin-1") == f"{user}:{password}"


@profile
@given(words)
def test_a_fragment_stays_here(fragment: str) -> None:
    url = URL("http://h.test/x?y").with_fragment(fragment)
    target = Target(build_url(None, url))
    assert target.real_url.fragment == fragment
    assert target.url == URL("http://h.test/x?y")
    assert target.line_end == " /x?y HTTP/1.1\r\n"
