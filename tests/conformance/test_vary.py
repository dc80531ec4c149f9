from __future__ import annotations

import pytest

from tests.conformance import casefile
from windtunnel_conformance.case import Send
from windtunnel_conformance.errors import CaseError
from windtunnel_conformance.reading import parse_toml
from windtunnel_conformance.vary import read_vary


def keys(text: str) -> list[str]:
    """Return the variant keys of one ``[vary]`` table."""
    return [row.key for row in read_vary(parse_toml(text, "f")).rows]


def test_rows_are_named_by_as_few_columns_as_tell_them_apart() -> None:
    assert keys("table = [{ cut = 8, x = 1 }, { cut = 4, x = 1 }]") == [
        "cut=8",
        "cut=4",
    ]
    assert keys('table = [{ m = "GET", end = "fin" }, { m = "GET", end = "rst" }]') == [
        "m=GET,end=fin",
        "m=GET,end=rst",
    ]


def test_a_column_called_row_names_the_row_and_is_no_value() -> None:
    (row, other) = read_vary(
        parse_toml(
            'table = [{ row = "one", v = "a b" }, { row = "two", v = "c" }]', "f"
        )
    ).rows
    assert (row.key, row.values) == ("row=one", {"v": "a b"})
    assert other.key == "row=two"


def test_a_matrix_gives_every_combination() -> None:
    text = 'matrix = { code = [301, 302], target = ["a b", "c"], on = [true] }'
    assert keys(text) == [
        "code=301,target=0,on=true",
        "code=301,target=1,on=true",
        "code=302,target=0,on=true",
        "code=302,target=1,on=true",
    ]


def test_all_generators_multiply() -> None:
    plan = read_vary(
        parse_toml(
            "table = [{ a = 1 }]\nmatrix = { b = [2, 3] }\n"
            'tls = [false, true]\nsplit = "every"',
            "f",
        )
    )
    assert plan.split
    assert [(row.key, row.tls) for row in plan.rows] == [
        ("a=1,b=2,tls=false", False),
        ("a=1,b=2,tls=true", True),
        ("a=1,b=3,tls=false", False),
        ("a=1,b=3,tls=true", True),
    ]
    assert plan.rows[0].values == {"a": 1, "b": 2}


def test_split_delivers_whole_then_bytes_then_each_cut() -> None:
    case = casefile.case(
        top='[vary]\nsplit = "every"',
        peer="""
[[peer]]
steps = [{ send = "abc" }, { wait = 1 }, { send = "d" }, { send = "ef" }]
""",
    )
    seen = {
        variant.key: [
            step.pieces for step in variant.peers[0].steps if isinstance(step, Send)
        ]
        for variant in case.variants
    }
    assert seen == {
        "split=whole": [(b"abc",), (b"d",), (b"ef",)],
        "split=bytes": [(b"a", b"b", b"c"), (b"d",), (b"e", b"f")],
        "split=0.1": [(b"a", b"bc"), (b"d",), (b"ef",)],
        "split=0.2": [(b"ab", b"c"), (b"d",), (b"ef",)],
        "split=2.1": [(b"abc",), (b"d",), (b"e", b"f")],
    }
    assert case.base.id == "family/slug@split=whole"


def test_rows_and_cuts_go_together() -> None:
    case = casefile.case(
        top='[vary]\nsplit = "every"\ntable = [{ v = "ab" }, { v = "c" }]',
        peer='[[peer]]\nsteps = [{ send = "${v}d" }]',
    )
    assert [variant.key for variant in case.variants] == [
        "v=ab,split=whole",
        "v=ab,split=bytes",
        "v=ab,split=0.1",
        "v=ab,split=0.2",
        "v=c,split=whole",
        "v=c,split=bytes",
        "v=c,split=0.1",
    ]


def test_tls_changes_scheme_and_default_port_of_every_origin() -> None:
    case = casefile.case(
        top="""
[vary]
tls = [false, true]
[origins]
a = { url = "http://a.test" }
b = { url = "https://b.test:8443" }
"""
    )
    urls = [
        [origin.url for origin in variant.origins.values()] for variant in case.variants
    ]
    assert urls == [
        ["http://a.test", "http://b.test:8443"],
        ["https://a.test", "https://b.test:8443"],
    ]
    assert [origin.port for origin in case.variants[1].origins.values()] == [443, 8443]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; leave it out or say split, table, matrix or tls"),
        ('split = "some"', "split: is 'some' (allowed: every)"),
        ("table = []", "table: has no rows"),
        ("table = [{}]", "table[0]: has no columns"),
        ("table = [{ A = 1 }]", "table[0]: column 'A' is no name"),
        (
            "table = [{ a = 1 }, { b = 1 }]",
            "table[1]: has the columns b, but the first row has a",
        ),
        (
            "table = [{ a = 1 }, { a = 1 }]",
            "table: has two rows with the same values",
        ),
        ("table = [{ a = [1] }]", "table[0].a: must be a string, a number, true"),
        (
            'table = [{ a = "x y" }]',
            "table: 'x y' cannot be part of a variant id (letters, digits and ._+-, "
            "at most 40); give each row a column 'row' with a name",
        ),
        (
            'table = [{ row = "x", a = 1 }, { row = "x", a = 2 }]',
            "gives two variants the key 'row=x'",
        ),
        ("matrix = { a = [] }", "matrix.a: has no values"),
        ("matrix = {}", "matrix: has no columns"),
        ("tls = [1]", "tls[0]: is 1, but must be true or false"),
    ],
)
def test_a_wrong_vary_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        read_vary(parse_toml(text, "f"))
    assert message in str(caught.value)


@pytest.mark.parametrize("steps", ['{ read = "eof" }', '{ send = "a" }'])
def test_split_needs_something_to_cut(steps: str) -> None:
    with pytest.raises(CaseError, match="there are 0 offsets to cut at"):
        casefile.case(
            top='[vary]\nsplit = "every"', peer=f"[[peer]]\nsteps = [{steps}]"
        )
