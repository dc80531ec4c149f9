from __future__ import annotations

import zlib

import pytest

from windtunnel_conformance.errors import CaseError
from windtunnel_conformance.reading import parse_toml
from windtunnel_conformance.values import Lets, Scope, is_byte_table, resolve_bytes

LETS = """
plain = "wind"
many = { repeat = { use = "plain" }, times = 3 }
"""


def value(text: str) -> bytes:
    """Return the bytes of one TOML value; ``plain`` and ``many`` are named values."""
    node = parse_toml(f"v = {text}", "f").table(None)["v"]
    return resolve_bytes(node, Lets(parse_toml(LETS, "f").table(None)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a\\u00ff\\r\\n"', b"a\xff\r\n"),
        ('["a", "b", ["c"]]', b"abc"),
        ('{ hex = "00 fF" }', b"\0\xff"),
        ('{ b64 = "AP8=" }', b"\0\xff"),
        ('{ utf8 = "é" }', b"\xc3\xa9"),
        ('{ repeat = "ab", times = 3 }', b"ababab"),
        ('{ repeat = "ab", times = 0 }', b""),
        ('{ use = "many" }', b"windwindwind"),
        ('{ len = { use = "many" } }', b"12"),
        ('{ use = "plain", cut = 1 }', b"win"),
        ('{ use = "plain", cut = "all-but-1" }', b"w"),
        ('{ use = "plain", flip = 0 }', b"\x88ind"),
        ('{ use = "plain", flip = [0, -1] }', b"\x88in\x9b"),
        ('{ use = "plain", append = { hex = "00" } }', b"wind\0"),
        (
            '{ use = "plain", append = "!", cut = 2, flip = 0 }',
            b"\x88i!",
        ),
        ('{ chunk = "hello" }', b"5\r\nhello\r\n0\r\n\r\n"),
        (
            '{ chunk = "hello, wind", sizes = [1, 4] }',
            b"1\r\nh\r\n4\r\nello\r\n4\r\n, wi\r\n2\r\nnd\r\n0\r\n\r\n",
        ),
        ('{ chunk = "" }', b"0\r\n\r\n"),
    ],
)
def test_a_value_stands_for_bytes(text: str, expected: bytes) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("kind", "bits"), [("gzip", 31), ("zlib", 15), ("deflate", -15)]
)
def test_packed_values_unpack_to_what_was_packed(kind: str, bits: int) -> None:
    assert zlib.decompress(value(f'{{ {kind} = {{ use = "many" }} }}'), bits) == (
        b"windwindwind"
    )


def test_level_zero_stores_the_data_as_it_is() -> None:
    assert b"wind" in value('{ gzip = "wind", level = 0 }')


def test_gzip_can_be_split_into_members() -> None:
    packed = value('{ gzip = { use = "many" }, split_members = 2 }')
    first = zlib.decompressobj(31)
    assert first.decompress(packed) == b"windwi"
    assert zlib.decompress(first.unused_data, 31) == b"ndwind"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1", "v: is 1, but bytes are a string, a table or an array"),
        ("{}", "v: needs exactly one of hex, b64, "),
        ('{ hex = "0" }', "v.hex: is '0', but must be pairs of hex digits"),
        ('{ b64 = "?" }', "v.b64: is '?', but must be base64"),
        ('{ hex = "00", utf8 = "a" }', "v: needs exactly one of"),
        ('{ repat = "a" }', "v.repat: unknown key 'repat'; did you mean 'repeat'?"),
        ('{ repeat = "a" }', "v.repeat: says what to repeat; 'times' has to say"),
        ('{ repeat = "a", times = 100000000 }', "v.times: makes more than"),
        ('{ utf8 = "a", times = 2 }', "v.times: 'times' does not go with 'utf8'"),
        ('{ use = "plane" }', "no value named 'plane' in [let]; did you mean 'plain'?"),
        ('{ utf8 = "a", cut = 2 }', "v.cut: is 2, but there are only 1 bytes"),
        ('{ utf8 = "a", cut = "all-but-2" }', "v.cut: is 'all-but-2', but there are"),
        ('{ utf8 = "a", cut = "half" }', "must be a number or 'all-but-N'"),
        ('{ utf8 = "a", flip = 1 }', "v.flip: is 1, but must be from -1 to 0"),
        ('{ gzip = "a", level = 10 }', "v.level: is 10, but must be from 0 to 9"),
        ('{ chunk = "a", sizes = [0] }', "v.sizes[0]: is 0, but must be from 1"),
    ],
)
def test_a_wrong_value_is_refused(text: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        value(text)
    assert message in str(caught.value)


def test_names_that_go_in_a_circle_are_refused() -> None:
    nodes = parse_toml('a = { use = "b" }\nb = { use = "a" }', "f").table(None)
    with pytest.raises(CaseError, match="a -> b -> a goes in a circle"):
        resolve_bytes(nodes["a"], Lets(nodes, _open=["a"]))


def test_a_table_of_bytes_is_told_from_other_tables() -> None:
    assert is_byte_table({"hex": "00"})
    assert not is_byte_table({"re": "a"})
    assert not is_byte_table("a")


def test_placeholders_keep_their_type_only_when_they_stand_alone() -> None:
    scope = Scope({"n": 1.5, "yes": True, "t": "x"}, frozenset({"c"}))
    text = """
whole = "${n}"
inside = "${n} ${yes} ${t} $$ $x $$${t}"
list = ["${yes}", 3]
table = { deep = "${t}" }
capture = "a${c}b"
"""
    filled = scope.fill(parse_toml(text, "f"))
    assert filled.value == {
        "whole": 1.5,
        "inside": "1.5 true x $ $x $x",
        "list": [True, 3],
        "table": {"deep": "x"},
        "capture": "a\ue000c\ue001b",
    }
    assert scope.used == {"n", "yes", "t", "c"}
