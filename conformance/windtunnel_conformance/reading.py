"""Reading a parsed TOML tree, with errors that name file, key and what is allowed.

Comes in: what ``tomllib`` returned. Goes out: typed values, or a ``CaseError``. Must
not know: what a case is.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, cast

from windtunnel_conformance.errors import CaseError, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windtunnel_conformance.case import Json

CAPTURE_OPEN: Final = "\ue000"
CAPTURE_CLOSE: Final = "\ue001"
"""Private-use characters around the name of a capture that is filled when judging."""

_MAX_SHOWN = 40
_T = TypeVar("_T", bound=str)


def parse_toml(text: str, file: str) -> Node:
    """Parse one file.

    Args:
        text: Its content.
        file: Its name, for messages.

    Returns:
        The root table.

    Raises:
        CaseError: The text is not TOML; the message has line and column.
    """
    try:
        return Node(tomllib.loads(text), file, "")
    except tomllib.TOMLDecodeError as exc:
        raise CaseError(file, "", f"not TOML: {exc}") from exc


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a TOML tree and where it stands.

    Attributes:
        value: As ``tomllib`` made it.
        file: Name of the file.
        path: ``client[0].request.url``; empty for the root.
    """

    value: object
    file: str
    path: str

    @property
    def is_table(self) -> bool:
        """Whether the value is a table."""
        return isinstance(self.value, dict)

    @property
    def is_array(self) -> bool:
        """Whether the value is an array."""
        return isinstance(self.value, list)

    def error(self, problem: str) -> CaseError:
        """Return the error to raise about this value."""
        return CaseError(self.file, self.path, problem)

    def child(self, key: str, value: object) -> Node:
        """Return a value below this table."""
        return Node(value, self.file, f"{self.path}.{key}" if self.path else key)

    def same_place(self, value: object) -> Node:
        """Return another value that stands where this one does."""
        return Node(value, self.file, self.path)

    def table(
        self, allowed: Iterable[str] | None, required: Iterable[str] = ()
    ) -> dict[str, Node]:
        """Read a table.

        Args:
            allowed: Its possible keys. None: any.
            required: Keys that have to be there.

        Raises:
            CaseError: It is no table, has another key, or lacks one.
        """
        if not self.is_table:
            raise self.error(f"is {shown(self.value)}, but must be a table")
        content = cast("dict[str, object]", self.value)
        nodes = {key: self.child(key, value) for key, value in content.items()}
        if allowed is not None:
            names = sorted(allowed)
            for key, node in nodes.items():
                if key not in names:
                    raise node.error(
                        f"unknown key {key!r}{suggestion(key, names)} "
                        f"(allowed: {', '.join(names)})"
                    )
        for key in required:
            if key not in nodes:
                raise self.error(f"the key {key!r} is missing")
        return nodes

    def single(self, allowed: Iterable[str]) -> tuple[str, Node]:
        """Read a table with exactly one key, such as one step or one verb."""
        names = sorted(allowed)
        nodes = self.table(names)
        if len(nodes) != 1:
            raise self.error(
                f"has {len(nodes)} keys, but needs exactly one of: {', '.join(names)}"
            )
        return next(iter(nodes.items()))

    def items(self) -> list[Node]:
        """Read an array."""
        if not self.is_array:
            raise self.error(f"is {shown(self.value)}, but must be an array")
        content = cast("list[object]", self.value)
        return [
            Node(value, self.file, f"{self.path}[{index}]")
            for index, value in enumerate(content)
        ]

    def text(self) -> str:
        """Read a string."""
        if not isinstance(self.value, str):
            raise self.error(f"is {shown(self.value)}, but must be a string")
        return self.value

    def latin1(self) -> str:
        """Read a string whose characters stand for single bytes.

        Raises:
            CaseError: A character is above U+00FF.
        """
        text = self.text()
        if CAPTURE_OPEN in text:
            raise self.error("a captured value can stand only in body_like")
        for index, character in enumerate(text):
            if character > "\xff":
                raise self.error(
                    f"character {character!r} at {index} is above U+00FF and no "
                    "single byte; write { utf8 = ... } for its UTF-8 bytes"
                )
        return text

    def texts(self) -> tuple[str, ...]:
        """Read an array of strings."""
        return tuple(item.text() for item in self.items())

    def choice(self, allowed: Iterable[_T]) -> _T:
        """Read a string that has to be one of a few."""
        text = self.text()
        names = list(allowed)
        for name in names:
            if text == name:
                return name
        raise self.error(
            f"is {text!r}{suggestion(text, names)} (allowed: {', '.join(names)})"
        )

    def flag(self) -> bool:
        """Read a boolean."""
        if not isinstance(self.value, bool):
            raise self.error(f"is {shown(self.value)}, but must be true or false")
        return self.value

    def integer(self, *, low: int, high: int = 2**63 - 1) -> int:
        """Read a whole number from ``low`` to ``high``."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.error(f"is {shown(self.value)}, but must be a whole number")
        if not low <= self.value <= high:
            raise self.error(f"is {self.value}, but must be from {low} to {high}")
        return self.value

    def seconds(self) -> float:
        """Read a finite number of seconds, not negative."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.error(f"is {shown(self.value)}, but must be a number of seconds")
        if not (math.isfinite(self.value) and self.value >= 0):
            raise self.error(f"is {self.value}, but must be finite and not negative")
        return float(self.value)

    def json(self) -> Json:
        """Read any value that JSON can carry too.

        Raises:
            CaseError: It holds a date, an infinity or a NaN.
        """
        value = self.value
        if isinstance(value, dict):
            return {key: node.json() for key, node in self.table(None).items()}
        if isinstance(value, list):
            return [item.json() for item in self.items()]
        if isinstance(value, float) and not math.isfinite(value):
            raise self.error(f"is {value}, which JSON cannot carry")
        if isinstance(value, str | int | float):
            return value
        raise self.error(
            f"is {shown(value)}, but dates and times are written as strings"
        )


def shown(value: object) -> str:
    """Return a value for a message: its repr, cut, or what kind of thing it is."""
    if isinstance(value, dict):
        keys = ", ".join(cast("Mapping[str, object]", value))
        return f"a table with the keys {keys[:_MAX_SHOWN]!r}"
    if isinstance(value, list):
        return "an array"
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
