"""Digest challenges and the answers to them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings, strategies as st

from windtunnel._policy.digest import (
    Challenge,
    Question,
    answer,
    choose_challenge,
    next_nonce,
    split_challenges,
)
from windtunnel.errors import ClientError

# RFC 7616 section 3.9.1; the second pair of values is that of its MD5 and SHA-256.
RFC_FIELD = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
RFC_QUESTION = Question(
    "GET", "/dir/index.html", b"", 1, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
)


def challenge(field: str) -> Challenge:
    found = choose_challenge([field])
    assert found is not None
    return found


def parts(field: str) -> dict[str, str]:
    ((scheme, found),) = split_challenges(field)
    assert scheme == "digest"
    return found


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (
            "SHA-256",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ],
)
def test_the_answers_of_rfc7616_section_3_9_1(algorithm: str, response: str) -> None:
    asked = challenge(RFC_FIELD.format(algorithm))._replace(qop="auth")
    text = answer(asked, b"Mufasa", b"Circle of Life", RFC_QUESTION)
    assert parts(text) == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "qop": "auth",
        "response": response,
        "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    }
    assert "qop=auth," in text
    assert "nc=00000001," in text
    assert f"algorithm={algorithm}," in text


def test_the_answer_of_rfc2617_section_3_5() -> None:
    asked = challenge(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )._replace(qop="auth")
    question = Question("GET", "/dir/index.html", b"", 1, "0a4f113b")
    found = parts(answer(asked, b"Mufasa", b"Circle Of Life", question))
    assert found["response"] == "6629fae49393a05397450978507c4ef1"
    assert "algorithm" not in found


def test_a_challenge_without_qop_is_answered_as_rfc2069() -> None:
    asked = challenge('Digest realm="r", nonce="n"')
    found = parts(answer(asked, b"u", b"p", RFC_QUESTION))
    secret = md5("u:r:p")
    assert found["response"] == md5(f"{secret}:n:{md5('GET:/dir/index.html')}")
    assert {"qop", "nc", "cnonce", "opaque"}.isdisjoint(found)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_auth_int_covers_the_body() -> None:
    asked = challenge('Digest realm="r", nonce="n", qop="auth,auth-int"')
    assert asked.qop == "auth-int"
    question = Question("POST", "/", b"body", 2, "c")
    found = parts(answer(asked, b"u", b"p", question))
    covered = md5(f"POST:/:{md5('body')}")
    expected = md5(f"{md5('u:r:p')}:n:00000002:c:auth-int:{covered}")
    assert found["response"] == expected


def test_a_session_algorithm_binds_the_secret_to_the_nonces() -> None:
    asked = challenge('Digest realm="r", nonce="n", qop=auth, algorithm=MD5-sess')
    found = parts(answer(asked, b"u", b"p", Question("GET", "/", b"", 1, "c")))
    secret = md5(f"{md5('u:r:p')}:n:c")
    assert found["response"] == md5(f"{secret}:n:00000001:c:auth:{md5('GET:/')}")
    assert found["algorithm"] == "MD5-sess"


def test_a_session_algorithm_without_qop_tells_its_cnonce() -> None:
    asked = challenge('Digest realm="r", nonce="n", algorithm=MD5-sess')
    found = parts(answer(asked, b"u", b"p", Question("GET", "/", b"", 1, "c")))
    assert found["cnonce"] == "c"


def test_a_name_may_be_hidden() -> None:
    asked = challenge('Digest realm="r", nonce="n", qop=auth, userhash=TRUE')
    found = parts(answer(asked, b"u", b"p", RFC_QUESTION))
    assert found["username"] == md5("u:r")
    assert found["userhash"] == "true"


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        ("MD5", "md5"),
        ("SHA", "sha1"),
        ("SHA-256", "sha256"),
        ("sha256", "sha256"),
        ("SHA-512", "sha512"),
        ("SHA512-SESS", "sha512"),
        ("SHA-512-256", "sha512_256"),
        ("SHA-512-256-sess", "sha512_256"),
    ],
)
def test_algorithms_are_known_in_all_spellings(algorithm: str, name: str) -> None:
    asked = challenge(f'Digest realm="r", nonce="n", algorithm={algorithm}')
    assert asked.hash_name == name
    assert asked.is_session is algorithm.lower().endswith("-sess")
    assert "response" in parts(answer(asked, b"u", b"p", RFC_QUESTION))


def test_a_hash_that_this_python_lacks_is_an_error() -> None:
    asked = challenge('Digest realm="r", nonce="n"')._replace(hash_name="none")
    with pytest.raises(ClientError, match="not in this Python"):
        answer(asked, b"u", b"p", RFC_QUESTION)


def test_quotes_in_values_are_escaped_both_ways() -> None:
    asked = challenge(r'Digest realm="a \"b\" \\ c", nonce="n"')
    assert asked.realm == r'a "b" \ c'
    found = parts(answer(asked, b'u"', b"p", RFC_QUESTION))
    assert found["realm"] == asked.realm
    assert found["username"] == 'u"'


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ('Digest nonce="n"', "has no realm"),
        ('Digest realm="r"', "has no nonce"),
        ('Digest realm="r", nonce=""', "empty nonce"),
        ('Digest realm="r", nonce="n", algorithm=MD4', "'MD4' is none of"),
        ('Digest realm="r", nonce="n", qop="token"', "neither auth nor auth-int"),
    ],
)
def test_a_challenge_that_cannot_be_answered_is_an_error(field: str, text: str) -> None:
    with pytest.raises(ClientError, match=text):
        choose_challenge([field])


def test_the_strongest_challenge_is_chosen() -> None:
    asked = choose_challenge(
        [
            'Basic realm="b", Digest realm="weak", nonce="1", algorithm=MD5',
            'Digest realm="strong", nonce="2", algorithm=SHA-256, '
            'Digest realm="second", nonce="3", algorithm=SHA-256',
            'Digest realm="unknown", nonce="4", algorithm=X',
        ]
    )
    assert asked is not None
    assert asked.realm == "strong"


def test_no_digest_is_no_challenge() -> None:
    assert choose_challenge(['Basic realm="b"', "Bearer"]) is None
    assert choose_challenge([]) is None


Split = list[tuple[str, dict[str, str]]]
SPLIT: list[tuple[str, Split]] = [
    ("", []),
    ("Negotiate", [("negotiate", {})]),
    ("Negotiate YWJj==", [("negotiate", {})]),
    ('Basic realm="a, b"', [("basic", {"realm": "a, b"})]),
    (
        'Newauth realm="apps", type=1, title="x", Basic realm="simple"',
        [
            ("newauth", {"realm": "apps", "type": "1", "title": "x"}),
            ("basic", {"realm": "simple"}),
        ],
    ),
    ("A, B x=1", [("a", {}), ("b", {"x": "1"})]),
    ("A x = 1 , y=2", [("a", {"x": "1", "y": "2"})]),
    ("A x=1, X=2", [("a", {"x": "1"})]),
    ("A é", [("a", {})]),
    ('"', []),
]


@pytest.mark.parametrize(("field", "expected"), SPLIT)
def test_a_field_is_split_into_challenges(field: str, expected: Split) -> None:
    assert split_challenges(field) == expected


@settings(derandomize=True, max_examples=300)
@given(st.text(alphabet='ADigest =,"\\\t-', max_size=40))
def test_any_field_is_split_in_the_end(field: str) -> None:
    for scheme, found in split_challenges(field):
        assert scheme == scheme.lower()
        assert all(name == name.lower() for name in found)


def test_stale_and_domain_are_noted() -> None:
    asked = challenge('Digest realm="r", nonce="n", stale=TRUE, domain="/a /b"')
    assert asked.is_stale
    assert asked.domain == "/a /b"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('nextnonce="abc", qop=auth', "abc"),
        ("qop=auth, NextNonce=abc", "abc"),
        ('rspauth="x"', ""),
        ("", ""),
    ],
)
def test_the_next_nonce_is_read(field: str, expected: str) -> None:
    assert next_nonce(field) == expected
