"""What is no perfect response, as httptools, h11 and ours read it.

Valid heads and chunked bodies are broken at random. Where ours and an oracle disagree,
a table says by which rule: ``LENIENT`` has what ours takes and the oracle refuses, with
a repair after which the oracle has to read the same; ``STRICT`` has what ours refuses.
Any other disagreement fails. Blanks around a value or a reason are never part of it
(RFC 9112 sections 4 and 5.1), although the oracles keep some.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

from tests.client.wire.oracles import (
    HeadFacts,
    body_by_h11,
    body_by_llhttp,
    body_by_ours,
    head_by_h11,
    head_by_llhttp,
    head_by_ours,
)
from windtunnel._wire.framing import response_framing
from windtunnel._wire.head import parse_regular_head
from windtunnel._wire.head_exact import HeadReader
from windtunnel._wire.limits import DEFAULT_LIMITS
from windtunnel._wire.violation import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    Oracle = Callable[[bytes], HeadFacts | bytes | None]

profile = settings(max_examples=400, derandomize=True, deadline=None, database=None)


class Lenient(NamedTuple):
    """Something that ours takes; ``repaired`` is how the oracle would like it."""

    rule: str
    example: bytes
    wrong: bytes
    repaired: bytes


class Strict(NamedTuple):
    """Something that ours refuses, with a message that ``message`` matches."""

    rule: str
    example: bytes
    message: str


BARE_LF = Lenient(
    "RFC 9112 section 2.2: a recipient may recognise a single LF",
    b"HTTP/1.1 200 OK\nA: b\n\n",
    rb"(?<!\r)\n",
    b"\r\n",
)
FOLD = Lenient(
    "RFC 9112 section 5.2: a user agent replaces a line fold by blanks",
    b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\td\r\n\r\n",
    rb"(?:[ \t]*\r\n[ \t]+)+",
    b" ",
)
CONTROL = Lenient(
    "RFC 9110 section 5.5: other control characters may be kept",
    b"HTTP/1.1 200 OK\r\nA: b\x01\x0b\x1f\x7fc\r\n\r\n",
    rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]",
    b".",
)
# h11 takes folds, but one without anything in it adds a blank of its own.
EMPTY_FOLD = FOLD._replace(example=b"HTTP/1.1 200 OK\r\nA: b\r\n \r\n c\r\n\r\n")
HEADS_LENIENT = {
    "llhttp": [BARE_LF, FOLD, CONTROL],
    "h11": [EMPTY_FOLD, CONTROL],
}
HEADS_STRICT = {
    "llhttp": [
        Strict(
            "RFC 9110 section 15: a status is 100 to 999",
            b"HTTP/1.1 099 OK\r\n\r\n",
            r"status line b'HTTP/1\.[0-9] 0",
        ),
        Strict(
            "RFC 9112 section 4: nothing comes before a status line",
            b"\r\nHTTP/1.1 200 OK\r\n\r\n",
            r"begins with b'(\\r|\\n)'",
        ),
        Strict(
            "RFC 9112 section 4: NUL is no part of a reason",
            b"HTTP/1.1 200 O\0K\r\n\r\n",
            r"NUL in line b'HTTP/",
        ),
    ],
    "h11": [
        Strict(
            "RFC 9112 section 2.3: the major version of this protocol is 1",
            b"HTTP/0.9 200 OK\r\n\r\n",
            r"begins with b'HTTP/[0-9]'",
        ),
    ],
}
BLANK_IN_EXTENSION = Lenient(
    "RFC 9112 section 7.1.1: BWS around the signs of an extension is removed",
    b'3 ; a = b\t;\tc="d"\r\nklm\r\n0\r\n\r\n',
    rb"[ \t]+(?=[;=])|(?<=[;=])[ \t]+",
    b"",
)
TRAILER_FOLD = FOLD._replace(example=b"1\r\nk\r\n0\r\nT: u\r\n v\r\n\r\n")
TRAILER_CONTROL = CONTROL._replace(example=b"0\r\nT: u\x01\x0bv\r\n\r\n")
BODIES_LENIENT = {
    "llhttp": [BLANK_IN_EXTENSION, TRAILER_FOLD, TRAILER_CONTROL],
    "h11": [BLANK_IN_EXTENSION, TRAILER_CONTROL],
}
EXTENSION = Strict(
    "RFC 9112 section 7.1.1: an extension is a token, and perhaps a value",
    b"3;;=\r\nklm\r\n0\r\n\r\n",
    r"chunk size line b'[0-9A-Fa-f]+[ \\t]*;.* is not hex digits and extensions",
)
BODIES_STRICT = {
    "llhttp": [EXTENSION],
    "h11": [
        EXTENSION,
        Strict(
            "RFC 9112 section 7.1: the lines of the chunked coding end in CRLF",
            b"0\r\nT: u\n\r\n",
            r"ends in a bare LF",
        ),
        Strict(
            "RFC 9112 section 7.1: blanks are not part of a size",
            b"3 \r\nklm\r\n0\r\n\r\n",
            r"chunk size line b'[0-9A-Fa-f]+(?: |\\t)+' is not hex",
        ),
    ],
}
ORACLES: dict[str, tuple[Oracle, Oracle]] = {
    "llhttp": (head_by_llhttp, body_by_llhttp),
    "h11": (head_by_h11, body_by_h11),
}

SIGNS = [b"\r", b"\n", b"\r\n", b"\r\n ", b"\0", b"\t", b" ", b":", b";", b",", b'"']
OTHERS = [b"(", b"=", b"\x7f", b"\x80", b"\xff", b"\x01", b"\x0b", b"-", b"\\", b"/"]
PIECES = [*SIGNS, *OTHERS, b"a", b"Z", b"0", b"1", b"9", b"g"]
edits = st.lists(
    st.tuples(
        st.sampled_from(["insert", "replace", "remove", "repeat"]),
        st.integers(0, 200),
        st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=3,
)


def broken(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    out = bytearray(data)
    for kind, place, piece in changes:
        at = place % (len(out) + 1)
        if kind == "insert":
            out[at:at] = piece
        elif kind == "replace":
            out[at : at + 1] = piece
        elif kind == "remove":
            del out[at : at + 1]
        else:
            out[at:at] = out[max(0, at - 3) : at]
    return bytes(out)


heads = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nA: b\r\nC-D:e f \r\n\r\n",
        b'HTTP/1.0 404 Not Found\r\nX:\r\nY: "q"\r\n\r\n',
        b"HTTP/1.1 299\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        b"HTTP/1.1 200 OK\nA: b\n\n",
    ]
)
bodies = st.sampled_from(
    [
        b"3\r\nklm\r\n0\r\n\r\n",
        b'A;x=y;z="q;\\""\r\nklmnopqrst\r\n02\r\n\r\n\r\n0\r\nT: u\r\nV: w\r\n\r\n',
        b"0;e\r\n\r\n",
        b"1\r\nk\r\n1\r\nl\r\n0\r\nT: u\r\n v\r\n\r\n",
    ]
)


def repair(data: bytes, rows: list[Lenient]) -> bytes:
    for row in rows:
        data = re.sub(row.wrong, row.repaired, data)
    return data


def same(ours: HeadFacts | bytes, theirs: HeadFacts | bytes | None) -> bool:
    """Compare; control characters have been repaired away on one side only."""

    def plain(facts: HeadFacts | bytes | None) -> str:
        return re.sub(r"\\x[01][0-9a-f]|\\x7f", ".", repr(facts))

    return plain(ours) == plain(theirs)


def compare(
    data: bytes,
    read: Callable[[bytes], tuple[HeadFacts | bytes | None, int]],
    oracle: Oracle,
    lenient: list[Lenient],
    strict: list[Strict],
) -> None:
    theirs = oracle(data)
    try:
        ours, size = read(data)
    except WireError as exc:
        message = str(exc)
        assert theirs is None or any(
            re.search(row.message, message) for row in strict
        ), f"{message}, but the oracle reads {theirs!r}"
        return
    if ours is None or same(ours, theirs):
        assert ours is not None or theirs is None
        return
    repaired = repair(data[:size], lenient)
    assert repaired != data[:size]
    assert same(ours, oracle(repaired))


@pytest.mark.parametrize("name", ORACLES)
@profile
@given(heads, edits)
def test_a_broken_head_is_read_as_the_oracle_reads_it_or_a_rule_says_why(
    name: str, head: bytes, changes: list[tuple[str, int, bytes]]
) -> None:
    # The end of the head may have been broken: another one follows.
    data = broken(head, changes) + b"\r\n\r\n"
    oracle = ORACLES[name][0]
    compare(data, head_by_ours, oracle, HEADS_LENIENT[name], HEADS_STRICT[name])


@pytest.mark.parametrize("name", ORACLES)
@profile
@given(bodies, edits)
def test_a_broken_chunked_body_is_read_as_the_oracle_reads_it_or_a_rule_says_why(
    name: str, body: bytes, changes: list[tuple[str, int, bytes]]
) -> None:
    data = broken(body, changes) + b"\r\n0\r\n\r\n"
    oracle = ORACLES[name][1]
    compare(data, body_by_ours, oracle, BODIES_LENIENT[name], BODIES_STRICT[name])


TABLES = [
    pytest.param(row, head_by_ours, ORACLES[name][0], id=f"head-{name}-{at}")
    for table in (HEADS_LENIENT, HEADS_STRICT)
    for name, rows in table.items()
    for at, row in enumerate(rows)
] + [
    pytest.param(row, body_by_ours, ORACLES[name][1], id=f"body-{name}-{at}")
    for table in (BODIES_LENIENT, BODIES_STRICT)
    for name, rows in table.items()
    for at, row in enumerate(rows)
]


@pytest.mark.parametrize(("row", "read", "oracle"), TABLES)
def test_each_row_of_the_tables_is_a_disagreement(
    row: Lenient | Strict,
    read: Callable[[bytes], tuple[HeadFacts | bytes | None, int]],
    oracle: Oracle,
) -> None:
    if isinstance(row, Strict):
        assert oracle(row.example) is not None
        with pytest.raises(WireError, match=row.message):
            read(row.example)
    else:
        ours, size = read(row.example)
        assert ours is not None
        assert size == len(row.example)
        assert not same(ours, oracle(row.example))
        assert same(ours, oracle(repair(row.example, [row])))


telling_heads = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ntransfer-encoding:chunked\r\nContent-Encoding: br\r\n\r\n",
        b"HTTP/1.1 206 OK\r\nSet-Cookie: a=b\r\nX-Connection: close\r\nB:\r\n\r\n",
    ]
)


@profile
@given(heads | telling_heads, edits)
def test_a_broken_head_is_left_by_the_fast_parser_or_read_as_by_the_careful_one(
    head: bytes, changes: list[tuple[str, int, bytes]]
) -> None:
    data = broken(head, changes)
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return
    text = data[: end + 2].decode("utf-8", "surrogateescape")
    fast = parse_regular_head(text, DEFAULT_LIMITS)
    if fast is None:
        return
    reader = HeadReader(DEFAULT_LIMITS)
    assert reader.feed(data) == end + 4
    exact = reader.head
    assert (fast.status, fast.reason, fast.minor) == (
        exact.status,
        exact.reason,
        exact.minor,
    )
    assert fast.fields == exact.fields
    assert outcome(fast.minor, fast.telling) == outcome(exact.minor, exact.fields)


def outcome(minor: int, fields: list[tuple[str, str]]) -> object:
    """Say how a body is framed, or why not, and which cookies are set."""
    cookies = [value for name, value in fields if name.lower() == "set-cookie"]
    try:
        return response_framing("GET", 200, minor, fields), cookies
    except WireError as exc:
        return exc.text, cookies
