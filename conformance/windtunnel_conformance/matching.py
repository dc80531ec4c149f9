"""Single expected values against single seen values.

Comes in: a ``Matcher`` and what was seen. Goes out: notes of mismatches and captures in
a ``Comparison``. Must not know: where in a result or on the wire the value stood.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never, cast

from windtunnel_conformance.acceptable import (
    Absent,
    AnyOf,
    Capture,
    CaptureRef,
    Digest,
    Equal,
    EqualJson,
    Fields,
    Items,
    OptionalHeaders,
    Pattern,
    Prefix,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windtunnel_conformance.acceptable import BodyPart, Matcher
    from windtunnel_conformance.case import Json

_MAX_SHOWN = 60
MISSING: Final = object()
"""Stands for a key that was not reported."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference.

    Attributes:
        path: ``got.r.body``, ``sent[0].line``, ``connections``, ``at``.
        expected: What was accepted, for a reader.
        got: What was seen, for a reader.
    """

    path: str
    expected: str
    got: str

    @property
    def text(self) -> str:
        """The difference in one line."""
        return f"{self.path}: expected {self.expected}, got {self.got}"


@dataclass(slots=True)
class Comparison:
    """What the comparison of one alternative has found so far.

    Attributes:
        mismatches: In the order in which they were found.
        not_compared: Paths that the adapter cannot see.
        captures: Name to captured bytes.
    """

    mismatches: list[Mismatch] = field(default_factory=list[Mismatch])
    not_compared: list[str] = field(default_factory=list[str])
    captures: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def differ(self, path: str, expected: str, got: str) -> None:
        """Note one difference."""
        self.mismatches.append(Mismatch(path, expected, got))

    def check(self, path: str, expected: Matcher, seen: object) -> None:
        """Note a difference unless the seen value is as expected."""
        if not self.matches(expected, seen):
            self.differ(path, describe(expected), show(seen))

    def matches(self, expected: Matcher, seen: object) -> bool:
        """Say whether a value is as expected; remember what it captures.

        Args:
            expected: A value or operator.
            seen: ``bytes``, ``BigBytes``, JSON, a list of field lines, or ``MISSING``.
        """
        match expected:
            case Absent():
                found = seen is MISSING or seen is None
            case AnyOf(options):
                found = any(self.matches(option, seen) for option in options)
            case Equal(value):
                found = _equal(value, seen)
            case EqualJson(value):
                found = seen is not MISSING and same_json(value, cast("Json", seen))
            case Fields(lines):
                found = all(
                    self.matches(matcher, field_value(matcher, name, seen))
                    for name, matcher in lines.items()
                )
            case Items(items):
                found = self._each(items, seen)
            case _:
                found = self._operator(expected, seen)
        return found

    def _each(self, items: Sequence[Matcher], seen: object) -> bool:
        if not isinstance(seen, list | tuple):
            return False
        values = cast("Sequence[object]", seen)
        return len(values) == len(items) and all(
            self.matches(item, value) for item, value in zip(items, values, strict=True)
        )

    def _operator(
        self, expected: Pattern | Prefix | Digest | Capture, seen: object
    ) -> bool:
        if isinstance(expected, Digest):
            return _digest_of(seen) == (expected.sha256, expected.length)
        data = as_bytes(seen)
        if data is None:
            return False
        match expected:
            case Pattern(pattern):
                found = re.search(pattern.encode("latin-1"), data)
                if found is not None:
                    self.captures.update(_named_groups(found))
                return found is not None
            case Prefix(prefix):
                return data.startswith(prefix)
            case Capture(name):
                self.captures[name] = data
                return True
            case _:
                assert_never(expected)

    def check_template(self, path: str, parts: Sequence[BodyPart], seen: bytes) -> None:
        """Note a difference unless a body fits a template from end to end."""
        pattern = b""
        for part in parts:
            match part:
                case bytes():
                    pattern += re.escape(part)
                case CaptureRef(name):
                    pattern += re.escape(self.captures.get(name, b""))
                case OptionalHeaders(names):
                    either = b"|".join(re.escape(name.encode()) for name in names)
                    pattern += b"(?:(?i:%b):[^\r\n]*\r\n)*" % either
                case Pattern(text):
                    pattern += b"(?:%b)" % text.encode("latin-1")
                case _:
                    assert_never(part)
        if not re.fullmatch(pattern, seen, re.DOTALL):
            self.differ(path, f"a body like {show(pattern)}", show(seen))


@dataclass(frozen=True, slots=True)
class BigBytes:
    """Bytes of which only the digest and the first were reported."""

    length: int
    sha256: str
    head: bytes


Reported: TypeAlias = "bytes | BigBytes"


def read_bytes(value: Json) -> Reported | None:
    """Read a byte value as an adapter reports it; None: it is none."""
    match value:
        case str():
            try:
                return value.encode("latin-1")
            except UnicodeEncodeError:
                return None
        case {"b64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except ValueError:
                return None
        case {"len": int(length), "sha256": str(digest), **rest}:
            head = read_bytes(cast("Json", rest.get("head", "")))
            return BigBytes(length, digest, head if isinstance(head, bytes) else b"")
        case _:
            return None


def _equal(value: bytes | bool | int | float | str | None, seen: object) -> bool:
    if isinstance(value, bytes) and isinstance(seen, BigBytes):
        return _digest_of(value) == (seen.sha256, seen.length)
    if isinstance(value, str) and isinstance(seen, list):
        # Field lines of one name: a text stands for all of them joined.
        return value == ", ".join(str(item) for item in cast("list[object]", seen))
    return type(value) is type(seen) and value == seen


def same_json(one: Json, other: Json) -> bool:
    """Say whether two JSON values are equal; a boolean is never a number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same_json(one[key], other[key]) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other


def field_value(matcher: Matcher, name: str, lines: object) -> object:
    """Return the values of one field name in the shape its matcher compares.

    Args:
        matcher: Says the shape: ``Items`` compare values one by one.
        name: In lower case.
        lines: ``(name, value)`` pairs.
    """
    if not isinstance(lines, list | tuple):
        return MISSING
    values = [
        str(pair[1])
        for pair in cast("Sequence[Sequence[object]]", lines)
        if str(pair[0]).lower() == name
    ]
    if not values:
        return MISSING
    return values if isinstance(matcher, Items | AnyOf) else ", ".join(values)


def as_bytes(seen: object) -> bytes | None:
    """Return the bytes of a value that has some."""
    if isinstance(seen, bytes):
        return seen
    if isinstance(seen, str):
        return seen.encode("latin-1", "replace")
    if isinstance(seen, list):
        return ", ".join(str(item) for item in cast("list[object]", seen)).encode(
            "latin-1", "replace"
        )
    return None


def _digest_of(seen: object) -> tuple[str, int] | None:
    if isinstance(seen, BigBytes):
        return seen.sha256, seen.length
    if isinstance(seen, bytes):
        return hashlib.sha256(seen).hexdigest(), len(seen)
    return None


def _named_groups(found: re.Match[bytes]) -> Mapping[str, bytes]:
    groups = cast("Mapping[str, bytes | None]", found.groupdict())
    return {name: value for name, value in groups.items() if value is not None}


# --- for readers -------------------------------------------------------------------


def describe(expected: Matcher) -> str:
    """Return an expected value for a message."""
    match expected:
        case Equal(value) | EqualJson(value):
            return show(value)
        case Items(items):
            return f"[{', '.join(map(describe, items))}]"
        case Fields(lines):
            return ", ".join(f"{k}: {describe(v)}" for k, v in lines.items())
        case AnyOf(options):
            return f"any of {', '.join(map(describe, options))}"
        case _:
            return _describe_operator(expected)


def _describe_operator(expected: Pattern | Prefix | Digest | Capture | Absent) -> str:
    match expected:
        case Pattern(pattern):
            return f"a match of {show(pattern)}"
        case Prefix(prefix):
            return f"something that starts with {show(prefix)}"
        case Digest(digest, length):
            return f"{length} bytes with sha256 {digest[:12]}..."
        case Capture():
            return "any text"
        case Absent():
            return "nothing"
        case _:
            assert_never(expected)


def show(value: object) -> str:
    """Return a seen value for a message, cut to a line."""
    if value is MISSING:
        return "nothing"
    if isinstance(value, BigBytes):
        return f"{value.length} bytes with sha256 {value.sha256[:12]}..."
    text = repr(value)
    if len(text) <= _MAX_SHOWN:
        return text
    size = f" ({len(value)} bytes)" if isinstance(value, bytes) else ""
    return f"{text[:_MAX_SHOWN]}...{size}"
