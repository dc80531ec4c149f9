"""Byte values of a case file: text, tables such as ``{ hex }``, and placeholders.

Comes in: nodes of a TOML tree. Goes out: bytes, and trees in which every ``${name}`` is
replaced. Must not know: where in a case the value stands.
"""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from windtunnel_conformance.errors import suggestion
from windtunnel_conformance.reading import CAPTURE_CLOSE, CAPTURE_OPEN, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windtunnel_conformance.case import Scalar
    from windtunnel_conformance.reading import Node

_MAX_BYTES = 64 * 1024 * 1024
_PLACEHOLDER = re.compile(r"\$(?:\$|\{([^{}]*)\})")
_KINDS: Final = (
    "hex", "b64", "utf8", "repeat", "use", "len", "gzip", "zlib", "deflate", "chunk",
)  # fmt: skip
_FILTERS: Final = ("cut", "flip", "append")
_EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "repeat": ("times",),
    "gzip": ("level", "split_members"),
    "zlib": ("level",),
    "deflate": ("level",),
    "chunk": ("sizes",),
}
_WINDOW_BITS: Final[Mapping[str, int]] = {"gzip": 31, "zlib": 15, "deflate": -15}


@dataclass(slots=True)
class Lets:
    """The ``[let]`` table: named values, resolved when first used.

    Attributes:
        nodes: Name to its unresolved value.
        used: Names that something referred to.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict[str, "Node"])
    used: set[str] = field(default_factory=set[str])
    _open: list[str] = field(default_factory=list[str])
    _done: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def resolve(self, reference: Node) -> bytes:
        """Return the bytes of the name in ``{ use = name }``.

        Raises:
            CaseError: There is no such name, or the names go in a circle.
        """
        name = reference.text()
        self.used.add(name)
        if name not in self.nodes:
            raise reference.error(
                f"no value named {name!r} in [let]{suggestion(name, self.nodes)} "
                f"(there: {', '.join(self.nodes) or 'nothing'})"
            )
        if name in self._open:
            raise reference.error(
                f"{' -> '.join([*self._open, name])} goes in a circle"
            )
        if name not in self._done:
            self._open.append(name)
            self._done[name] = resolve_bytes(self.nodes[name], self)
            self._open.pop()
        return self._done[name]


def is_byte_table(value: object) -> bool:
    """Say whether a value is a table that stands for bytes."""
    return isinstance(value, dict) and not set(_KINDS).isdisjoint(
        cast("dict[str, object]", value)
    )


def resolve_bytes(node: Node, lets: Lets) -> bytes:
    """Return the bytes that a string, a table or a list of them stands for.

    Raises:
        CaseError: The value is of another type, has unknown or too many keys, or does
            not make sense (bad base64, a cut longer than the data, ...).
    """
    if isinstance(node.value, str):
        return node.latin1().encode("latin-1")
    if isinstance(node.value, list):
        return b"".join(resolve_bytes(item, lets) for item in node.items())
    if not isinstance(node.value, dict):
        raise node.error(
            f"is {shown(node.value)}, but bytes are a string, a table or an array"
        )
    return _resolve_table(node, lets)


def _resolve_table(node: Node, lets: Lets) -> bytes:
    every = {*_KINDS, *_FILTERS, *(key for keys in _EXTRAS.values() for key in keys)}
    table = node.table(every)
    kinds = [kind for kind in _KINDS if kind in table]
    if len(kinds) != 1:
        raise node.error(
            f"needs exactly one of {', '.join(_KINDS)}; it has {len(kinds)}"
        )
    kind = kinds[0]
    fitting = (kind, *_FILTERS, *_EXTRAS.get(kind, ()))
    for key, value in table.items():
        if key not in fitting:
            raise value.error(
                f"{key!r} does not go with {kind!r}; {', '.join(fitting)} do"
            )
    data = _MAKERS[kind](table, lets)
    for key in _FILTERS:
        if key in table:
            data = _FILTER_FUNCTIONS[key](data, table[key], lets)
    return data


# --- kinds -----------------------------------------------------------------------


def _from_hex(table: Mapping[str, Node], lets: Lets) -> bytes:
    del lets
    node = table["hex"]
    text = node.text()
    try:
        return bytes.fromhex(text)
    except ValueError as exc:
        raise node.error(
            f"is {shown(text)}, but must be pairs of hex digits: {exc}"
        ) from exc


def _from_base64(table: Mapping[str, Node], lets: Lets) -> bytes:
    del lets
    node = table["b64"]
    text = node.text()
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as exc:
        raise node.error(f"is {shown(text)}, but must be base64: {exc}") from exc


def _from_utf8(table: Mapping[str, Node], lets: Lets) -> bytes:
    del lets
    return table["utf8"].text().encode("utf-8")


def _from_repeat(table: Mapping[str, Node], lets: Lets) -> bytes:
    node = table["repeat"]
    if "times" not in table:
        raise node.error("says what to repeat; 'times' has to say how often")
    unit = resolve_bytes(node, lets)
    times = table["times"].integer(low=0)
    if len(unit) * times > _MAX_BYTES:
        raise table["times"].error(f"makes more than {_MAX_BYTES} bytes")
    return unit * times


def _from_use(table: Mapping[str, Node], lets: Lets) -> bytes:
    return lets.resolve(table["use"])


def _from_len(table: Mapping[str, Node], lets: Lets) -> bytes:
    return b"%d" % len(resolve_bytes(table["len"], lets))


def _compressor(kind: str) -> Callable[[Mapping[str, Node], Lets], bytes]:
    def compress(table: Mapping[str, Node], lets: Lets) -> bytes:
        plain = resolve_bytes(table[kind], lets)
        level = table["level"].integer(low=0, high=9) if "level" in table else 9
        members = (
            table["split_members"].integer(low=1, high=100)
            if "split_members" in table
            else 1
        )
        size = -(-len(plain) // members)
        packed = b""
        for index in range(members):
            engine = zlib.compressobj(level, zlib.DEFLATED, _WINDOW_BITS[kind])
            part = plain[index * size : (index + 1) * size]
            packed += engine.compress(part) + engine.flush()
        return packed

    return compress


def _from_chunk(table: Mapping[str, Node], lets: Lets) -> bytes:
    """Write data in chunked coding (RFC 9112 section 7.1); the last size repeats."""
    rest = resolve_bytes(table["chunk"], lets)
    sizes = (
        [item.integer(low=1) for item in table["sizes"].items()]
        if "sizes" in table
        else []
    )
    coded = b""
    index = 0
    while rest:
        size = sizes[min(index, len(sizes) - 1)] if sizes else len(rest)
        piece, rest = rest[:size], rest[size:]
        coded += b"%x\r\n%b\r\n" % (len(piece), piece)
        index += 1
    return coded + b"0\r\n\r\n"


_MAKERS: Final[Mapping[str, Callable[[Mapping[str, Node], Lets], bytes]]] = {
    "hex": _from_hex,
    "b64": _from_base64,
    "utf8": _from_utf8,
    "repeat": _from_repeat,
    "use": _from_use,
    "len": _from_len,
    "gzip": _compressor("gzip"),
    "zlib": _compressor("zlib"),
    "deflate": _compressor("deflate"),
    "chunk": _from_chunk,
}


# --- filters ---------------------------------------------------------------------


def _cut(data: bytes, node: Node, lets: Lets) -> bytes:
    """Drop bytes from the end: a count, or ``"all-but-N"``."""
    del lets
    if isinstance(node.value, str):
        kept = re.fullmatch("all-but-([0-9]{1,9})", node.value)
        if kept is None:
            raise node.error(f"is {node.value!r}, but must be a number or 'all-but-N'")
        size = int(kept[1])
    else:
        size = len(data) - node.integer(low=0)
    if not 0 <= size <= len(data):
        raise node.error(
            f"is {shown(node.value)}, but there are only {len(data)} bytes"
        )
    return data[:size]


def _flip(data: bytes, node: Node, lets: Lets) -> bytes:
    """Invert all bits of the bytes at the given offsets; -1 is the last byte."""
    del lets
    single = not isinstance(node.value, list)
    changed = bytearray(data)
    for item in [node] if single else node.items():
        size = len(data)
        changed[item.integer(low=-size, high=size - 1)] ^= 0xFF
    return bytes(changed)


def _append(data: bytes, node: Node, lets: Lets) -> bytes:
    return data + resolve_bytes(node, lets)


_FILTER_FUNCTIONS: Final[Mapping[str, Callable[[bytes, Node, Lets], bytes]]] = {
    "cut": _cut,
    "flip": _flip,
    "append": _append,
}


# --- placeholders ----------------------------------------------------------------


@dataclass(slots=True)
class Scope:
    """What ``${name}`` stands for in one variant.

    Attributes:
        values: Name to value: ``a``, ``a.port``, columns of the row.
        captures: Names that are filled only when the outcome is judged.
        used: Names that something referred to.
    """

    values: Mapping[str, Scalar]
    captures: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set[str])

    def fill(self, node: Node) -> Node:
        """Return a tree with every placeholder replaced.

        A string that is nothing but one placeholder becomes the typed value; inside a
        longer text the value is written as text (``true``, ``7.5``). ``$$`` is a
        dollar, and a dollar before any other character stays.

        Raises:
            CaseError: A placeholder names nothing.
        """
        value = node.value
        if isinstance(value, str):
            return node.same_place(self._fill_text(value, node))
        if isinstance(value, dict):
            content = {
                key: self.fill(child).value for key, child in node.table(None).items()
            }
            return node.same_place(content)
        if isinstance(value, list):
            return node.same_place([self.fill(item).value for item in node.items()])
        return node

    def _fill_text(self, text: str, node: Node) -> Scalar:
        whole = _PLACEHOLDER.fullmatch(text)
        if whole is not None and whole[1] in self.values:
            self.used.add(whole[1])
            return self.values[whole[1]]

        def replace(found: re.Match[str]) -> str:
            name = cast("str | None", found[1])
            if name is None:
                return "$"
            self.used.add(name)
            if name in self.captures:
                return f"{CAPTURE_OPEN}{name}{CAPTURE_CLOSE}"
            if name not in self.values:
                known = [*self.values, *self.captures]
                raise node.error(
                    f"the placeholder ${{{name}}} names nothing"
                    f"{suggestion(name, known)} (known: {', '.join(sorted(known))}); "
                    'a named byte value is written { use = "name" }, a dollar $$'
                )
            return _as_text(self.values[name])

        return _PLACEHOLDER.sub(replace, text)


def _as_text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
